import type { IdentityClient } from '@haic/services/identity/client.ts';

/** Names of people by `users/<subject>`. */
export type Names = (principal: string) => string;

/** Who is gone is called by their subject. */
export async function namesOf(
  identity: Pick<IdentityClient, 'findPerson'>,
  principals: readonly string[],
): Promise<Names> {
  const names = new Map<string, string>();
  for (const principal of new Set(principals)) {
    const subject = principal.replace(/^users\//, '');
    names.set(principal, (await identity.findPerson(subject))?.username ?? subject);
  }
  return (principal) => names.get(principal) ?? principal;
}

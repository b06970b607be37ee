import type { Principal } from '@haic/kit/auth/principal.ts';
import { forbidden } from '@haic/kit/errors.ts';
import type { IdentityClient, IdentityPerson } from '@haic/services/identity/client.ts';

/** Who asks, as an administrator of the platform. Throws `administrators_only` (403), with what only they may. */
export async function administratorOf(
  identity: Pick<IdentityClient, 'findPerson'>,
  actor: Principal,
  what: string,
): Promise<IdentityPerson> {
  const by = await identity.findPerson(actor.subject);
  if (by?.roles.includes('admin') === true && !by.disabled) return by;
  throw forbidden('administrators_only', `Only administrators ${what}.`);
}

import type { Principal } from '@haic/kit/auth/principal.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { ExternalStore, SeenPerson } from './store.ts';

/** Who asks again within this time with the same claims is not written again. */
const freshMs = 10 * 60_000;
const mostRemembered = 10_000;

/**
 * Remembers the people whom the issuer vouches for, from the tokens they come with: other services look owners up by it. Their names,
 * roles and groups are as of their last request; what somebody may do is always judged by the token of the request itself.
 */
export function rememberPeople(server: HttpServer, store: ExternalStore, logger: Logger): void {
  const remembered = new Map<string, { claims: string; at: number }>();
  server.addHook('preHandler', async (request) => {
    const person = personOf(request.principal);
    if (person === undefined) return;
    const claims = JSON.stringify(person);
    const known = remembered.get(person.subject);
    if (known?.claims === claims && Date.now() - known.at < freshMs) return;
    try {
      await store.putPerson(person);
    } catch (error) {
      // The request itself needs none of this; the next one tries again.
      logger.warn({ err: error }, 'A person could not be remembered.');
      return;
    }
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(person.subject, { claims, at: Date.now() });
  });
}

/** An app's token is no witness for roles: it may have been narrowed. */
function personOf(principal: Principal | undefined): SeenPerson | undefined {
  if (principal === undefined || principal.partyKind === 'service' || principal.partyKind === 'app')
    return undefined;
  const { subject, username, roles, groups } = principal;
  return { subject, username, name: principal.name ?? username, email: principal.email ?? '', roles, groups };
}

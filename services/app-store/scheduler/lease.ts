import type { Principal } from '@haic/kit/auth/principal.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';

export interface Lease {
  /** Aborts when the person may no longer read. */
  readonly signal: AbortSignal;
  end(): void;
}

const defaultCheckMs = 15_000;

/**
 * A stream outlives the token that opened it. While it is open the person is looked up again from the moment the token ends, and
 * what they read is authorised again: who is disabled, loses a role or the instance stops reading.
 */
export function holdLease(options: {
  actor: Principal;
  identity: IdentityClient;
  stillAllowed: (actor: Principal) => Promise<boolean>;
  checkMs?: number;
}): Lease {
  const ended = new AbortController();
  let actor = options.actor;

  async function check(): Promise<void> {
    if (actor.expiresAt * 1000 <= Date.now()) {
      const person = await options.identity.findPerson(actor.subject);
      if (person === undefined || person.disabled) return ended.abort();
      actor = { ...actor, roles: person.roles, groups: person.groups };
    }
    if (!(await options.stillAllowed(actor))) ended.abort();
  }

  // What cannot be checked now (the issuer's database is away) is checked the next time: running streams go on.
  const timer = setInterval(() => void check().catch(() => undefined), options.checkMs ?? defaultCheckMs);
  timer.unref();
  ended.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  return { signal: ended.signal, end: () => ended.abort() };
}

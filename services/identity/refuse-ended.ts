import type { Principal } from '@haic/kit/auth/principal.ts';
import { forbidden, messageOf, unauthenticated } from '@haic/kit/errors.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { LRUCache } from 'lru-cache';

/** So long somebody is believed to be active who just was: the API need not ask the database twice for each request. */
const believedForMs = 2_000;

/**
 * A token lasts minutes, and is good by itself until then. Who was disabled or removed in the meantime, or whose account ended, is refused at the
 * API within seconds (the router is told, and does the same where tokens open apps). People are let go on while the database cannot be
 * asked; machines are not.
 */
export function refuseEnded(
  server: HttpServer,
  parts: { activeAmong: (subjects: readonly string[]) => Promise<readonly string[]>; logger: Logger },
): void {
  const active = new LRUCache<string, true>({ max: 10_000, ttl: believedForMs });

  async function isActive({ subject, partyKind }: Principal): Promise<boolean> {
    if (active.has(subject)) return true;
    const isMachine = partyKind === 'service-account';
    try {
      if ((await parts.activeAmong([subject])).length === 0) return false;
    } catch (error) {
      if (isMachine) throw error;
      parts.logger.warn(`Whether an account is active could not be asked: ${messageOf(error)}`);
      return true;
    }
    if (!isMachine) active.set(subject, true);
    return true;
  }

  server.addHook('onRequest', async ({ principal }) => {
    if (principal === undefined || principal.partyKind === 'service' || (await isActive(principal))) return;
    if (principal.partyKind === 'service-account')
      throw unauthenticated('This service account is disabled, has expired or is gone, or its owner is.');
    throw forbidden('person_unavailable', 'This account is disabled or gone.');
  });
}

import { messageOf } from '@haic/kit/errors.ts';
import { open, seal } from '@haic/kit/keys.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamSessions } from './upstream-sessions.ts';

/** Signing out of Haic signs out at the provider that the session came from (RP-Initiated Logout 1.0), by way of the browser. */
export interface UpstreamSignOut {
  /** Where to send the browser first, for a session that has just ended; undefined when there is nothing to end, or no way to. */
  urlFor(sessionUid: string, returnTo: string | undefined): Promise<string | undefined>;
  /** Where the browser was to go in the end. Only an address that this Haic sealed is believed. */
  returnAddress(state: string): string | undefined;
}

const context = 'sign-out';

export function createUpstreamSignOut(parts: {
  upstreams: ReadonlyMap<string, Upstream>;
  sessions: UpstreamSessions;
  /** Without the alias: `…/broker/<alias>/endpoint/logout_response`. */
  returnUrlOf: (alias: string) => string;
  sealingKey: Buffer;
  logger: Logger;
}): UpstreamSignOut {
  const { sealingKey, logger } = parts;
  return {
    urlFor: async (sessionUid, returnTo) => {
      const session = await parts.sessions.take(sessionUid);
      const upstream = session === undefined ? undefined : parts.upstreams.get(session.alias);
      if (session === undefined || upstream === undefined) return undefined;
      const state = seal(sealingKey, returnTo ?? '', context).toString('base64url');
      try {
        return await upstream.signOutUrl(session.idToken, parts.returnUrlOf(session.alias), state);
      } catch (error) {
        // The session here is over in any case.
        logger.warn(
          { reason: messageOf(error), provider: session.alias },
          'Nobody could be signed out there.',
        );
        return undefined;
      }
    },
    returnAddress: (state) => {
      try {
        const address = open(sealingKey, Buffer.from(state, 'base64url'), context).toString();
        return address === '' ? undefined : address;
      } catch {
        return undefined;
      }
    },
  };
}

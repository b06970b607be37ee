import { HaicError } from '@haic/kit/errors.ts';
import type { SignInStandingClient } from '@haic/services/identity/client.ts';
import { LRUCache } from 'lru-cache';
import { driveError } from './errors.ts';
import type { DriveSession } from './model.ts';
import type { ShareStore } from './shares.ts';

/** Whether whom temporary keys were given out for may still act. */
export interface Standing {
  /** Throws `ExpiredToken` when not: whoever may come back asks for new keys, and is told why there are none. */
  check(session: DriveSession): Promise<void>;
}

/** So long an answer is believed. */
const believedForMs = 3_000;
/** So long a good one is, while core cannot be asked: its restart stops nobody. */
const believedInNeedForMs = 60_000;

/**
 * Keys live for hours and name nobody who could take them back, so with each request it is asked, at most every few seconds a session,
 * whether the account is still active, the sign-in that they came of still open, the app's instance still there, and a link not taken back.
 */
export function createStanding(
  client: SignInStandingClient,
  shares: Pick<ShareStore, 'isGood'>,
  now: () => number = Date.now,
): Standing {
  const known = new LRUCache<string, { readonly good: boolean; readonly at: number }>({ max: 10_000 });
  const asking = new Map<string, Promise<boolean>>();

  async function ask(key: string, session: DriveSession): Promise<boolean> {
    const before = known.get(key);
    try {
      const { share } = session;
      const good =
        (share === undefined || (await shares.isGood(share))) && (await client.mayStillAct(session));
      known.set(key, { good, at: now() });
      return good;
    } catch (error) {
      if (before?.good === true && now() - before.at < believedInNeedForMs) return true;
      const why = error instanceof HaicError ? error.message : 'The platform cannot be asked.';
      throw driveError('ServiceUnavailable', `Whether these keys are still good cannot be said. ${why}`, {
        cause: error,
      });
    }
  }

  return {
    check: async (session) => {
      const { subject, party, signIn, share } = session;
      const key = JSON.stringify([subject, party, signIn, share]);
      const before = known.get(key);
      let good = before !== undefined && now() - before.at < believedForMs ? before.good : undefined;
      if (good === undefined) {
        const answer = asking.get(key) ?? ask(key, session).finally(() => asking.delete(key));
        asking.set(key, answer);
        good = await answer;
      }
      if (!good)
        throw driveError(
          'ExpiredToken',
          'These keys have ended: the account is disabled or gone, the sign-in that they came of or the app has ended, or the link was taken back.',
        );
    },
  };
}

import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { type Chain, equal } from './chain.ts';
import { expireAction, ownEvent } from './continuations.ts';
import { trailStore } from './store.ts';
import type { Trail } from './trail.ts';

/**
 * Gives up what was received more than `days` ago: whole stretches that end at a checkpoint, which becomes the beginning of what stays. The trail
 * says how much went. Resolves with the number of events; cut off in the middle, the next call goes on.
 */
export async function expireEvents(options: {
  readonly database: Database;
  readonly trail: Trail;
  readonly chain: Chain;
  readonly days: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}): Promise<number> {
  const { database, trail, chain, days, logger, signal } = options;
  const now = Math.trunc((options.now ?? Date.now)());
  const until = BigInt(now - days * 86_400_000) * 1000n;
  const moved = await database.transaction(async (sql) => {
    const row = await trailStore.lock(sql);
    const checkpoint = await trailStore.lastCheckpointBy(sql, until);
    if (row === undefined || checkpoint === undefined || checkpoint.link.seq <= row.base.seq)
      return undefined;
    const { link, mac } = checkpoint;
    const hash = await trailStore.hashAt(sql, link.seq);
    if (hash === undefined || !equal(hash, link.hash) || !chain.isSigned('checkpoint', link, mac)) {
      logger.error(
        { seq: link.seq },
        'A checkpoint of the audit trail is not good; nothing is removed before it.',
      );
      return undefined;
    }
    await trailStore.moveBase(sql, link, chain.sign('base', link));
    return link.seq;
  });
  const removed = await trailStore.removeUpToBase(database, signal);
  if (moved !== undefined)
    await trail.append([
      ownEvent(expireAction, BigInt(now) * 1000n, { up_to: String(moved), days: String(days) }),
    ]);
  return removed;
}

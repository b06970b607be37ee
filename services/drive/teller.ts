import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { AuditedAction, BulkAuditWriter } from '@haic/services/audit/client.ts';

export interface TellerTimes {
  /** So long who tells waits for the disk. */
  readonly patienceMs: number;
  /** After a failure: the first wait and the longest. Each is twice the one before. */
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  /** So long what waits is tried at the end. */
  readonly stopMs: number;
}

export const usualTimes: TellerTimes = {
  patienceMs: 250,
  firstRetryMs: 500,
  lastRetryMs: 15_000,
  stopMs: 3_000,
};

const most = 10_000;
const batchSize = 500;

export interface Teller {
  /** Resolves when it is on the disk; after a moment in any case, and at once while it is known that nothing can be recorded. Never throws. */
  tell(action: AuditedAction): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Tells the audit trail of what happens whether it can be told or not. What cannot be recorded now waits in memory and is tried again; of what there
 * is no room for, the next event says how many it were (`untold`).
 */
export function createTeller(options: {
  readonly audit: BulkAuditWriter;
  readonly logger: Logger;
  readonly times?: TellerTimes;
  /** How many may wait. */
  readonly limit?: number;
}): Teller {
  const { audit, logger, times = usualTimes, limit = most } = options;
  const stopping = new AbortController();
  const waiting: { readonly action: AuditedAction; readonly done: () => void }[] = [];
  let running: Promise<void> | undefined;
  let isPrompt = true;
  let isAway = false;
  let untold = 0;
  let retryMs = times.firstRetryMs;

  async function recordSome(): Promise<void> {
    const batch = waiting.slice(0, batchSize);
    const missed = untold;
    const actions = batch.map(({ action }) => action);
    const [first] = actions;
    if (first !== undefined && missed > 0)
      actions[0] = { ...first, metadata: { ...first.metadata, untold: String(missed) } };
    await audit.recordMany(actions);
    untold -= missed;
    waiting.splice(0, batch.length);
    for (const { done } of batch) done();
    isPrompt = true;
  }

  async function run(): Promise<void> {
    while (waiting.length > 0 && !stopping.signal.aborted)
      try {
        await recordSome();
        if (isAway) logger.info('What happens to objects is recorded in the audit trail again.');
        isAway = false;
        retryMs = times.firstRetryMs;
      } catch (error) {
        if (!isAway)
          logger.warn(`What happens to objects cannot be recorded now (${messageOf(error)}); it waits.`);
        isAway = true;
        isPrompt = false;
        for (const { done } of waiting) done();
        await sleep(retryMs, undefined, { signal: stopping.signal }).catch(() => {});
        retryMs = Math.min(times.lastRetryMs, retryMs * 2);
      }
    running = undefined;
  }

  return {
    tell: async (action) => {
      if (waiting.length >= limit || stopping.signal.aborted) {
        untold += 1;
        return;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ action, done: resolve });
      running ??= run();
      if (!isPrompt) return;
      const late = setTimeout(() => {
        isPrompt = false;
        resolve();
      }, times.patienceMs);
      await promise;
      clearTimeout(late);
    },
    stop: async () => {
      stopping.abort();
      const rest = async () => {
        await running;
        while (waiting.length > 0) await recordSome();
      };
      const out = AbortSignal.timeout(times.stopMs);
      await Promise.race([
        rest().catch(() => {}),
        new Promise((resolve) => out.addEventListener('abort', resolve, { once: true })),
      ]);
      const lost = waiting.length + untold;
      if (lost > 0)
        logger.error({ events: lost }, 'What happened to objects at the end is not in the audit trail.');
    },
  };
}

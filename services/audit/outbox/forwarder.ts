import { HaicError, messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { EventRequest, TrailClient } from '../client.ts';
import { outboxStore, type WaitingEvent } from './store.ts';

export interface ForwarderTimes {
  /** Between two looks at what others wrote, in milliseconds. */
  readonly pollMs: number;
  /** After a failure: the first wait and the longest. Each is twice the one before. */
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  readonly deadlineMs: number;
  /** After which what was begun and never ended is told with an outcome that nobody knows. */
  readonly abandonedMs: number;
}

export const usualTimes: ForwarderTimes = {
  pollMs: 500,
  firstRetryMs: 500,
  lastRetryMs: 15_000,
  deadlineMs: 10_000,
  abandonedMs: 10 * 60_000,
};

export interface Forwarder {
  /** There is something to forward. */
  wake(): void;
  /** Of the last attempt; undefined when it succeeded. */
  readonly problem: string | undefined;
  stop(): Promise<void>;
}

const batch = 500;
/** Of JSON, well below what the trail takes. */
const batchBytes = 1024 * 1024;
/** google.rpc.Code.UNKNOWN. */
const unknownOutcome = {
  status: {
    code: 2,
    message: 'What became of it is not known: the process that did it ended in the middle.',
  },
};

/**
 * Brings what was told to the trail, in the order in which it was told. The rows are held in a transaction while the trail is asked and go with its
 * answer: killed at any moment, they are still there and are sent again, which the trail takes for the same events.
 */
export function startForwarder(options: {
  readonly database: Database;
  readonly trail: TrailClient;
  readonly logger: Logger;
  readonly times?: Partial<ForwarderTimes>;
}): Forwarder {
  const { database, trail, logger } = options;
  const times = { ...usualTimes, ...options.times };
  const stopping = new AbortController();
  let problem: string | undefined;
  let retryMs = times.firstRetryMs;
  let settledAt = Number.NEGATIVE_INFINITY;
  let woken = Promise.withResolvers<void>();

  async function round(): Promise<boolean> {
    if (performance.now() - settledAt > times.abandonedMs / 4) {
      await outboxStore.settleAbandoned(database.sql, times.abandonedMs, unknownOutcome);
      settledAt = performance.now();
    }
    // Most of the time nothing waits, and one small question is all there is.
    if (!(await outboxStore.hasWaiting(database.sql))) return false;
    return database.transaction(async (sql) => {
      const waiting = firstOf(await outboxStore.take(sql, batch));
      if (waiting.length === 0) return false;
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(times.deadlineMs)]);
      const refused = await send(trail, waiting, signal);
      for (const [{ place, eventId }, why] of refused) {
        logger.error({ eventId, why }, 'The audit trail refuses an event for good; it stays in the outbox.');
        await outboxStore.refuse(sql, place, why);
      }
      await outboxStore.remove(
        sql,
        waiting.filter((event) => !refused.has(event)).map(({ place }) => place),
      );
      return true;
    });
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const wake = woken.promise;
      try {
        const was = await round();
        if (problem !== undefined) logger.info('The audit trail takes events again.');
        problem = undefined;
        retryMs = times.firstRetryMs;
        if (!was) await Promise.race([wake, sleep(times.pollMs, stopping.signal)]);
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (problem === undefined)
          logger.warn(`The audit trail takes nothing now (${messageOf(error)}); events wait in the outbox.`);
        problem = messageOf(error);
        await sleep(retryMs, stopping.signal);
        retryMs = Math.min(times.lastRetryMs, retryMs * 2);
      }
    }
  }

  const running = run();
  return {
    wake: () => {
      woken.resolve();
      woken = Promise.withResolvers();
    },
    get problem() {
      return problem;
    },
    stop: async () => {
      stopping.abort(new Error('Haic is stopping.'));
      woken.resolve();
      await running;
    },
  };
}

function firstOf(waiting: readonly WaitingEvent[]): readonly WaitingEvent[] {
  let bytes = 0;
  const cut = waiting.findIndex(({ event }) => {
    bytes += JSON.stringify(event).length * 3;
    return bytes > batchBytes;
  });
  return cut === -1 ? waiting : waiting.slice(0, Math.max(1, cut));
}

/** Which were refused for good, and why. What is wrong with one event must not keep the others away. */
async function send<E extends EventRequest>(
  trail: TrailClient,
  events: readonly E[],
  signal: AbortSignal,
): Promise<ReadonlyMap<E, string>> {
  try {
    const requests = events.map(({ eventId, event }) => ({ eventId, event }));
    const refused = await trail.batchCreate(requests, signal);
    return new Map(
      events.flatMap((event, index) => {
        const why = refused.get(index);
        return why === undefined ? [] : [[event, why] as const];
      }),
    );
  } catch (error) {
    const [only] = events;
    if (only === undefined || !isAboutEvents(error)) throw error;
    if (events.length === 1) return new Map([[only, messageOf(error)]]);
    const middle = events.length >> 1;
    const first = await send(trail, events.slice(0, middle), signal);
    return new Map([...first, ...(await send(trail, events.slice(middle), signal))]);
  }
}

const isAboutEvents = (error: unknown): boolean =>
  error instanceof HaicError && [400, 413, 422].includes(error.status);

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

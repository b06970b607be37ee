import { HaicError, tooMany } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { DriveError } from '../errors.ts';
import { apiError } from './api-error.ts';
import { bounds, type Failure, type Operation, type OperationKind } from './model.ts';
import type { OceanStore } from './store.ts';

const sideBySide = 8;
const tellEveryMs = 1000;

/** What an operation does. Work is counted beside being done, so both read the same pages. */
export interface Work {
  readonly kind: OperationKind;
  readonly subject: string;
  readonly bucket: string;
  readonly trashId?: string;
  items(signal: AbortSignal): AsyncIterable<string>;
  /** Must be safe to do again. */
  handle(item: string, signal: AbortSignal): Promise<void>;
  /** After the last item, also when some failed. */
  finish?(): Promise<void>;
}

export interface Runner {
  /** Resolves when the operation has ended or `patienceMs` have passed, whichever comes first. */
  run(id: string, work: Work, patienceMs: number): Promise<Operation>;
  cancel(id: string): void;
  stop(): Promise<void>;
}

/** Does operations one item after the other, some side by side, and says how far they are. */
export function createRunner(store: OceanStore, logger: Logger): Runner {
  const running = new Map<string, { readonly cancelling: AbortController; readonly ended: Promise<void> }>();
  const stopping = new AbortController();

  return {
    run: async (id, work, patienceMs) => {
      if ((await store.countRunning(work.subject)) >= bounds.running)
        throw tooMany(
          `${bounds.running} operations of yours are running. Wait until one has ended, or cancel one.`,
        );
      const { kind, subject, bucket, trashId } = work;
      const begun = await store.begin({ id, subject, kind, bucket, trashId });
      const cancelling = new AbortController();
      const ended = perform(id, work, { store, logger, cancelling, stopping: stopping.signal }).catch(
        (error: unknown) => logger.error({ err: error, operation: id }, 'An operation could not be ended.'),
      );
      running.set(id, { cancelling, ended });
      void ended.finally(() => running.delete(id));
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, patienceMs).unref())]);
      return (await store.find(subject, id)) ?? begun;
    },
    cancel: (id) => running.get(id)?.cancelling.abort(cancelled),
    stop: async () => {
      stopping.abort(interrupted);
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

const cancelled = new HaicError('operation_cancelled', 409, 'It was cancelled. What was done stays done.');
const interrupted = new HaicError(
  'operation_interrupted',
  503,
  'The platform was restarted in the middle. What was done stays done; do the rest again.',
);

async function perform(
  id: string,
  work: Work,
  parts: {
    readonly store: OceanStore;
    readonly logger: Logger;
    readonly cancelling: AbortController;
    readonly stopping: AbortSignal;
  },
): Promise<void> {
  const { store, cancelling } = parts;
  const signal = AbortSignal.any([cancelling.signal, parts.stopping]);
  const progress = { done: 0, failed: 0, total: undefined as number | undefined };
  const failures: Failure[] = [];
  const fail = (key: string, error: unknown) => {
    progress.failed += 1;
    if (!(error instanceof HaicError))
      parts.logger.error({ err: error, operation: id }, 'An object of an operation could not be handled.');
    if (failures.length < bounds.failuresTold) failures.push(failureOf(key, error));
  };
  const telling = setInterval(() => {
    store.progress(id, progress).then(
      (wanted) => wanted && cancelling.abort(cancelled),
      () => {},
    );
  }, tellEveryMs);
  try {
    progress.total = await count(work.items(signal));
    await eachOf(work.items(signal), async (item) => {
      signal.throwIfAborted();
      try {
        await work.handle(item, signal);
        progress.done += 1;
      } catch (error) {
        if (signal.aborted) throw error;
        fail(item, error);
      }
    });
  } catch (error) {
    fail('', signal.aborted ? signal.reason : error);
  } finally {
    clearInterval(telling);
  }
  await work.finish?.().catch((error: unknown) => fail('', error));
  const state = cancelling.signal.aborted ? 'CANCELLED' : progress.failed > 0 ? 'FAILED' : 'SUCCEEDED';
  await store.end(id, state, progress, failures);
}

async function count(items: AsyncIterable<string>): Promise<number> {
  let total = 0;
  for await (const _ of items) total += 1;
  return total;
}

/** As many at a time as there are hands; the first that throws ends all. */
async function eachOf(items: AsyncIterable<string>, handle: (item: string) => Promise<void>): Promise<void> {
  const rest = items[Symbol.asyncIterator]();
  const hands = Array.from({ length: sideBySide }, async () => {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) await handle(next.value);
  });
  const outcomes = await Promise.allSettled(hands);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

function failureOf(item: string, thrown: unknown): Failure {
  // JSON in PostgreSQL knows neither.
  const key = item.toWellFormed().replaceAll('\0', '\u2400');
  const error = thrown instanceof DriveError ? apiError(thrown) : thrown;
  if (error instanceof HaicError) return { key, code: error.code, message: error.message };
  return { key, code: 'internal', message: 'Something went wrong inside Haic.' };
}

import { Worker } from 'node:worker_threads';
import { type Answer, asBuffer, fromPortable, memoryIn, type Question } from './messages.ts';
import type { OperationName } from './operations.ts';
import type { ResultOf, Thread } from './thread.ts';

/** Most of the time a thread waits for the disk, which is better at many syncs at once. */
const mostThreads = 8;
/** One that nobody needed for so long ends, but for the last. */
const idleMs = 10_000;

/** Threads for a disk, as many as there is work for. They keep no process alive that has nothing to wait for. */
export function createThreads(): { pick(): WorkerThread } {
  let threads: readonly WorkerThread[] = [];
  let sweeping: NodeJS.Timeout | undefined;

  function sweep(): void {
    for (const thread of threads) if (threads.length > 1 && thread.isAtRest()) thread.end();
    if (threads.length > 1) return;
    clearInterval(sweeping);
    sweeping = undefined;
  }
  function start(): WorkerThread {
    const thread = startThread(() => {
      threads = threads.filter((other) => other !== thread);
    });
    threads = [...threads, thread];
    if (threads.length > 1) sweeping ??= setInterval(sweep, idleMs).unref();
    return thread;
  }
  return {
    /** The first of the least busy, so that the others come to rest. */
    pick: () => {
      const [first, ...others] = threads;
      if (first === undefined) return start();
      const best = others.reduce((best, other) => (other.waiting < best.waiting ? other : best), first);
      return best.waiting > 0 && threads.length < mostThreads ? start() : best;
    },
  };
}

export interface WorkerThread extends Thread {
  /** How many operations it was given and has not done. */
  readonly waiting: number;
  /** Whether it has had nothing to do since this was asked last. */
  isAtRest(): boolean;
  end(): void;
}

interface Asker {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

function startThread(onEnd: () => void): WorkerThread {
  // The build makes a program of its own of it.
  const worker = new Worker(new URL(import.meta.resolve('./worker.ts')), { name: 'disk' });
  worker.unref();
  const askers = new Map<number, Asker>();
  let [asked, askedBefore, holds] = [0, 0, 0];
  let failure: Error | undefined;

  const end = (error: Error): void => {
    failure ??= error;
    onEnd();
    for (const { reject } of askers.values()) reject(failure);
    askers.clear();
  };
  worker.on('message', (answer: Answer) => {
    const asker = askers.get(answer.id);
    askers.delete(answer.id);
    if (askers.size === 0) worker.unref();
    if ('error' in answer) asker?.reject(fromPortable(answer.error));
    else asker?.resolve(asBuffer(answer.result));
  });
  worker.on('error', (error) => end(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => end(ended()));

  return {
    get waiting() {
      return askers.size;
    },
    isAtRest: () => {
      const isAtRest = askers.size === 0 && holds === 0 && asked === askedBefore;
      askedBefore = asked;
      return isAtRest;
    },
    end: () => {
      end(ended());
      void worker.terminate();
    },
    call: <N extends OperationName>(name: N, ...args: readonly unknown[]) =>
      new Promise<ResultOf<N>>((resolve, reject) => {
        if (failure !== undefined) throw failure;
        asked += 1;
        const question: Question = { id: asked, name, args };
        worker.postMessage(question, memoryIn(args));
        if (askers.size === 0) worker.ref();
        askers.set(asked, { resolve: (result) => resolve(result as ResultOf<N>), reject });
      }),
    hold: () => {
      holds += 1;
    },
    release: () => {
      holds -= 1;
    },
  };
}

const ended = () => new Error('A thread that works on the disk has ended.');

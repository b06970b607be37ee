/**
 * Work that several callers may want at the same time: it runs once, everyone sees its lines from the first on and gets its result. A
 * caller that gives up leaves alone; when the last one leaves, the work is aborted.
 */
export interface SharedWork<T> {
  join(key: string, start: (work: Work) => Promise<T>, caller: Caller): Promise<T>;
  idle(): boolean;
  /** Resolves as soon as nothing runs or waits for its turn. */
  whenIdle(): Promise<void>;
  /** Aborts everything and waits until it has ended. */
  stop(): Promise<void>;
}

/** What the work itself is given. */
export interface Work {
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

export interface Caller {
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

interface Job<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  readonly lines: string[];
  readonly callers: Set<Caller>;
}

const keptLines = 2_000;

export function createSharedWork<T>(limit: Limit): SharedWork<T> {
  const jobs = new Map<string, Job<T>>();
  const running = new Set<Promise<unknown>>();

  const begin = (key: string, start: Parameters<SharedWork<T>['join']>[1]): Job<T> => {
    const abort = new AbortController();
    const lines: string[] = [];
    const callers = new Set<Caller>();
    const log = (line: string) => {
      if (lines.length < keptLines) lines.push(line);
      for (const caller of callers) caller.onLine(line);
    };
    const result = limit(
      () => start({ signal: abort.signal, log }),
      abort.signal,
      () => log('Waiting for other installations…'),
    );
    const job: Job<T> = { result, abort, lines, callers };
    jobs.set(key, job);
    const ended = result
      .catch(() => undefined)
      .finally(() => {
        running.delete(ended);
        if (jobs.get(key) === job) jobs.delete(key);
      });
    running.add(ended);
    return job;
  };

  return {
    join: async (key, start, caller) => {
      caller.signal.throwIfAborted();
      const job = jobs.get(key) ?? begin(key, start);
      for (const line of job.lines) caller.onLine(line);
      job.callers.add(caller);
      try {
        return await orAborted(job.result, caller.signal);
      } finally {
        job.callers.delete(caller);
        if (job.callers.size === 0) {
          // Nobody is left. Whoever comes now starts anew instead of joining what is being killed.
          if (jobs.get(key) === job) jobs.delete(key);
          job.abort.abort(new Error('Nobody waits for this any more.'));
        }
      }
    },
    idle: () => running.size === 0,
    whenIdle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
    stop: async () => {
      for (const job of jobs.values()) job.abort.abort(new Error('The installer is stopping.'));
      await Promise.all(running);
    },
  };
}

function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

export type Limit = <T>(work: () => Promise<T>, signal: AbortSignal, onWait: () => void) => Promise<T>;

/** At most `count` at once, first come first served. */
export function createLimit(count: number): Limit {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work, signal, onWait) => {
    if (free > 0) free -= 1;
    else {
      onWait();
      await turn(waiting, signal);
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

function turn(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const come = () => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    const leave = () => {
      waiting.splice(waiting.indexOf(come), 1);
      reject(signal.reason);
    };
    waiting.push(come);
    signal.addEventListener('abort', leave, { once: true });
  });
}

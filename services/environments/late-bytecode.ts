import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import type { BytecodeCache } from './bytecode.ts';
import type { Interpreter } from './interpreters.ts';
import type { EnvironmentStore } from './store.ts';

/**
 * Makes bytecode after an environment was handed out, so that no app waits for it: one environment at a time, at the lowest priority, while
 * nothing is installed and some time after the last new environment, whose app is starting. What is still to do is written down before the
 * environment can be seen and taken up again at the next start. Environments work without it; their imports are only slower.
 */
export interface LateBytecode {
  /** The wheels that uv links with their bytecode. To be asked before it links. */
  compiled(python: Interpreter): Promise<ReadonlySet<string>>;
  /** Writes down that this environment will need bytecode. To be called before it is published. */
  remember(hash: string, python: Interpreter): Promise<void>;
  /** Its turn comes later. `linked` is what `compiled` said. */
  add(hash: string, python: Interpreter, linked: ReadonlySet<string>): void;
  /** Adds what an earlier run has left. */
  takeUp(): Promise<void>;
  idle(): boolean;
  whenIdle(): Promise<void>;
  stop(): Promise<void>;
}

/** What is written down for an environment, under its hash. */
interface Pending {
  readonly python: string;
  /** How often it was begun and not finished: what kills the installer must not do so at every start. */
  readonly begun: number;
}

interface Job extends Pending {
  readonly hash: string;
  readonly linked: ReadonlySet<string>;
}

const mostAttempts = 2;

export function createLateBytecode(options: {
  store: EnvironmentStore;
  cache: BytecodeCache;
  interpreters: readonly Interpreter[];
  checkSpace: () => Promise<void>;
  /** Resolves while nothing is being installed. */
  whenIdle: () => Promise<void>;
  delayMs: number;
  log: (message: string, facts?: Record<string, unknown>) => void;
}): LateBytecode {
  const { store, cache, log } = options;
  const queue: Job[] = [];
  const stopping = new AbortController();
  let quietFrom = 0;
  let running: Promise<void> | undefined;

  const recordOf = (hash: string) => path.join(store.folders.pending, hash);
  const write = (hash: string, { python, begun }: Pending) =>
    store.writeWhole(recordOf(hash), JSON.stringify({ python, begun }));
  const forget = (hash: string) => rm(recordOf(hash), { force: true });

  function enqueue(job: Job): void {
    quietFrom = performance.now() + options.delayMs;
    queue.push(job);
    running ??= workOff();
  }

  async function workOff(): Promise<void> {
    for (let job = queue[0]; job !== undefined && !stopping.signal.aborted; job = queue[0]) {
      try {
        await giveWay();
        await make(job);
      } catch (error) {
        if (!stopping.signal.aborted)
          log('bytecode could not be made', { hash: job.hash, error: messageOf(error) });
      }
      queue.shift();
    }
    running = undefined;
  }

  async function giveWay(): Promise<void> {
    for (;;) {
      await options.whenIdle();
      stopping.signal.throwIfAborted();
      const wait = quietFrom - performance.now();
      if (wait <= 0) return;
      await sleep(wait, stopping.signal);
    }
  }

  async function make(job: Job): Promise<void> {
    const venv = store.venvOf(job.hash);
    const python = options.interpreters.find((item) => item.fullVersion === job.python);
    if (venv === undefined || python === undefined || job.begun >= mostAttempts) return forget(job.hash);
    await options.checkSpace();
    await write(job.hash, { ...job, begun: job.begun + 1 });
    try {
      const { linked } = job;
      const result = await cache.complete(venv, python, { linked, giveWay, signal: stopping.signal });
      log('bytecode made', { hash: job.hash, ...result });
      if (result.failed === 0) await forget(job.hash);
    } catch (error) {
      // Being stopped is no failure of the environment's.
      if (stopping.signal.aborted) await write(job.hash, job);
      if (store.venvOf(job.hash) === undefined) return forget(job.hash);
      throw error;
    }
  }

  return {
    compiled: cache.compiled,
    remember: (hash, python) => write(hash, { python: python.fullVersion, begun: 0 }),
    add: (hash, python, linked) => enqueue({ hash, python: python.fullVersion, begun: 0, linked }),

    takeUp: async () => {
      for (const hash of await readdir(store.folders.pending)) {
        const pending = parsePending(await readFile(recordOf(hash), 'utf8').catch(() => ''));
        if (pending === undefined) await forget(hash);
        else enqueue({ hash, ...pending, linked: new Set() });
      }
    },

    idle: () => running === undefined,
    whenIdle: async () => {
      while (running !== undefined) await running;
    },
    stop: async () => {
      stopping.abort(new Error('The installer is stopping.'));
      await running;
    },
  };
}

function parsePending(text: string): Pending | undefined {
  try {
    const { python, begun } = JSON.parse(text) as Record<string, unknown>;
    return typeof python === 'string' && typeof begun === 'number' ? { python, begun } : undefined;
  } catch {
    return undefined;
  }
}

import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const runner = fileURLToPath(new URL('./test-preparations-run.ts', import.meta.url));

export interface Preparations {
  /** Resolves when the script has ended, whatever became of it: what failed is tried again, and said, where it is needed. */
  done(script: string): Promise<void>;
  stop(): void;
}

/**
 * Runs scripts one after the other, with the time of the processors that the tests leave: what takes long to build or to fetch is then in the
 * cache when it is needed. They end with this process, however it ends.
 */
export function startPreparations(scripts: readonly string[]): Preparations {
  const waiting = new Map(scripts.map((script) => [script, Promise.withResolvers<void>()]));
  const settleAll = () => {
    for (const { resolve } of waiting.values()) resolve();
  };
  if (scripts.length === 0) return { done: async () => undefined, stop: () => undefined };
  const child = spawn(process.execPath, [runner, ...scripts], {
    cwd: root,
    // A session of its own: the scheduler shares out between sessions first, and nice values count within one.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.once('error', settleAll);
  child.once('close', settleAll);
  child.unref();
  const setNice = async (nice: number) => {
    if (child.exitCode === null)
      await writeFile(`/proc/${child.pid}/autogroup`, String(nice)).catch(() => undefined);
  };
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  void setNice(constants.priority.PRIORITY_LOW);
  createInterface({ input: child.stdout }).on('line', (script) => waiting.get(script)?.resolve());
  return {
    done: async (script) => {
      // Whoever asks waits, so that there is nothing to yield to.
      await setNice(constants.priority.PRIORITY_NORMAL);
      await waiting.get(script)?.promise;
      await setNice(constants.priority.PRIORITY_LOW);
    },
    stop: () => child.stdin.end(),
  };
}

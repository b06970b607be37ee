import { type ChildProcess, spawn } from 'node:child_process';
import { open, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { Installation } from '@haic/server/installation.ts';
import type { ListenerAddress } from './health.ts';
import { nodeFlags } from './node-flags.ts';
import { type Role, recordProcess, roles } from './processes.ts';
import { startOrTakeOver } from './take-over.ts';

/** A restart waits this long at first, twice as long after each quick end, and never longer than the last. */
const restartDelaysMs = [200, 500, 1_000, 2_000, 5_000, 10_000];
/** `up` while it runs: whatever waits to be started again is started now, since its cause may just have been put right. */
export const hurrySignal = 'SIGUSR2';
const steadyAfterMs = 30_000;
const logLimitBytes = 20 * 1024 * 1024;

/**
 * Starts the platform's processes and starts each again when it ends. They are no part of the supervisor's life: killed, it leaves
 * them running, and the next `up` finds them by their records.
 */
export function supervise(options: {
  installation: Installation;
  listener: ListenerAddress;
  environment: NodeJS.ProcessEnv;
  onEvent: (line: string) => void;
}): {
  stop(): Promise<void>;
} {
  const running = new Map<Role, ChildProcess>();
  const waiting = new Map<Role, NodeJS.Timeout>();
  let stopping = false;

  const start = async (role: Role, quickEnds: number): Promise<void> => {
    const log = await openLog(options.installation, role);
    if (stopping) return log.close();
    const startedAt = performance.now();
    const child = spawn(
      process.execPath,
      [...nodeFlags(role), path.join(options.installation.programs, `${role}.mjs`)],
      {
        env: options.environment,
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
      },
    );
    running.set(role, child);
    child.once('error', (error) => options.onEvent(`${role} could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      running.delete(role);
      if (stopping) return;
      const ends = performance.now() - startedAt > steadyAfterMs ? 0 : quickEnds + 1;
      const delay = restartDelaysMs[Math.min(ends, restartDelaysMs.length - 1)] ?? 1_000;
      options.onEvent(
        `${role} ended (${signal ?? `exit ${code}`}); starting it again in ${delay} ms. Its log: ./haic logs ${role}`,
      );
      const again = () => {
        waiting.delete(role);
        void start(role, ends);
      };
      waiting.set(role, setTimeout(again, delay));
    });
    if (child.pid !== undefined) await recordProcess(options.installation.run, role, child.pid);
    await log.close();
  };

  const hurry = () => {
    for (const [role, timer] of waiting) {
      clearTimeout(timer);
      waiting.delete(role);
      void start(role, 0);
    }
  };
  process.on(hurrySignal, hurry);

  void startOrTakeOver({ ...options, start: (role) => start(role, 0), stopped: () => stopping });
  return {
    stop: async () => {
      stopping = true;
      process.off(hurrySignal, hurry);
      for (const timer of waiting.values()) clearTimeout(timer);
      // One after the other: the edge closes its doors before what it leads to goes away.
      for (const role of roles) await stopChild(running.get(role));
    },
  };
}

function stopChild(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), 22_000);
    child.once('close', () => {
      clearTimeout(force);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

async function openLog(installation: Installation, role: Role) {
  const file = path.join(installation.logs, `${role}.log`);
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > logLimitBytes) await rename(file, `${file}.1`);
  return open(file, 'a', 0o600);
}

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deadline, until } from '@haic/kit/deadline.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess } from '@haic/kit/process-identity.ts';

/** The platform's processes on a laptop (design decision 1), in the order in which they stop. */
export const roles = ['router', 'drive', 'core'] as const;
export type Role = (typeof roles)[number];
export type ProcessName = Role | 'supervisor';

/** What `up` was asked for; kept so that `status`, `down` and a second `up` know. */
export interface RunningInstallation {
  readonly publicUrl: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The organisation's, where it is not Haic's own. */
  readonly issuer?: string;
  readonly startedAt: string;
  /** Which build all of its processes are of; missing while one build takes over from another. */
  readonly build?: string;
  readonly version?: string;
}

const recordFile = (run: string, name: string) => path.join(run, `${name}.json`);

export async function recordProcess(run: string, name: ProcessName, pid: number): Promise<void> {
  const identity = await identify(pid);
  if (identity !== undefined) await writeRecord(run, name, identity);
}

export async function liveProcess(run: string, name: ProcessName): Promise<ProcessIdentity | undefined> {
  const identity = await readRecord<ProcessIdentity>(run, name);
  return identity !== undefined && (await isAlive(identity)) ? identity : undefined;
}

export const writeRecord = async (run: string, name: string, value: unknown): Promise<void> => {
  const file = recordFile(run, name);
  await writeFile(`${file}.tmp`, JSON.stringify(value), { mode: 0o600 });
  await rename(`${file}.tmp`, file);
};

export const readRecord = async <T>(run: string, name: string): Promise<T | undefined> => {
  try {
    return JSON.parse(await readFile(recordFile(run, name), 'utf8')) as T;
  } catch {
    return undefined;
  }
};

/** SIGTERM, then SIGKILL after `graceMs`. Returns once the process is gone; false when there was none. */
export async function stopProcess(run: string, name: ProcessName, graceMs = 25_000): Promise<boolean> {
  const identity = await liveProcess(run, name);
  if (identity !== undefined) {
    await signalProcess(identity, 'SIGTERM');
    const gone = () => isAlive(identity).then((alive) => (alive ? undefined : true));
    await until(gone, { everyMs: 50, signal: deadline(graceMs) }).catch(async () => {
      await signalProcess(identity, 'SIGKILL');
      await until(gone, { everyMs: 50, signal: deadline(5_000) });
    });
  }
  await rm(recordFile(run, name), { force: true });
  return identity !== undefined;
}

/** Stops what is left of the platform, the supervisor first so that it restarts nothing. Apps are not touched. */
export async function stopPlatform(run: string): Promise<boolean> {
  let stopped = await stopProcess(run, 'supervisor');
  for (const role of roles) stopped = (await stopProcess(run, role)) || stopped;
  return stopped;
}

/** The supervisor goes and leaves what it started: SIGHUP ends one of any version, and its children are no part of its life. */
export async function dismissSupervisor(run: string): Promise<void> {
  const identity = await liveProcess(run, 'supervisor');
  if (identity === undefined) return;
  await signalProcess(identity, 'SIGHUP');
  await until(() => isAlive(identity).then((alive) => (alive ? undefined : true)), {
    everyMs: 20,
    signal: deadline(5_000),
  });
  await rm(recordFile(run, 'supervisor'), { force: true });
}

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { PodTemplate, Termination, WorkloadPhase, WorkloadSpec } from '../port.ts';
import { readJson, syncDirectory, writeAtomically } from './durable-file.ts';

const run = promisify(execFile);

/** What was asked for. The secret is kept in a file of its own, so that this one can be shown to anybody. */
export interface WorkloadRecord {
  readonly version: 1;
  readonly createdAt: string;
  readonly uid: number;
  /** Grows with each change of the template. */
  readonly generation: number;
  readonly spec: Omit<WorkloadSpec, 'template'> & { readonly template: Omit<PodTemplate, 'secret'> };
}

/** What became of it: one pod, which is one template running, with all its restarts. */
export interface PodRecord {
  readonly generation: number;
  /** Number of the last attempt; zero before the first. Never used twice, whatever crashes. */
  readonly attempt: number;
  readonly attemptEnded: boolean;
  readonly starts: number;
  /** Ends in a row, for the back-off, and when the next start may be (milliseconds since 1970). */
  readonly failures: number;
  readonly notBefore: number;
  readonly phase: WorkloadPhase;
  readonly reason: string;
  readonly message: string;
  readonly since: string;
  readonly startedAt: string | undefined;
  readonly ports: Readonly<Record<string, number>>;
  readonly lastTermination: Termination | undefined;
}

export interface Removal {
  readonly volumes: 'keep' | 'delete';
}

export interface StoredWorkload {
  readonly record: WorkloadRecord;
  readonly pod: PodRecord;
  readonly removal: Removal | undefined;
}

/** The state directory of the runtime. Directories are passable (0711), so that a sandbox reaches what is mounted; files are 0600. */
export interface Records {
  directoryOf(name: string): string;
  attemptDirectory(name: string, attempt: number): string;
  load(): Promise<StoredWorkload[]>;
  /** When this resolves the workload is on the disk, with its secret; before, the old one is. */
  save(record: WorkloadRecord, secret: Readonly<Record<string, string>>): Promise<void>;
  secretOf(record: WorkloadRecord): Promise<Readonly<Record<string, string>>>;
  savePod(name: string, pod: PodRecord, options: { durable: boolean }): Promise<void>;
  saveRemoval(name: string, removal: Removal): Promise<void>;
  /** Makes the directory of an attempt, durably, and forgets all but the one before it. */
  beginAttempt(name: string, attempt: number): Promise<string>;
  forget(name: string): Promise<void>;
}

export const newPod = (generation: number, now = new Date()): PodRecord => ({
  generation,
  attempt: 0,
  attemptEnded: true,
  starts: 0,
  failures: 0,
  notBefore: 0,
  phase: 'Pending',
  reason: '',
  message: '',
  since: now.toISOString(),
  startedAt: undefined,
  ports: {},
  lastTermination: undefined,
});

export async function openRecords(stateDirectory: string): Promise<Records> {
  const workloads = path.join(stateDirectory, 'workloads');
  const trash = path.join(stateDirectory, 'trash');
  for (const directory of [workloads, trash]) await mkdir(directory, { recursive: true, mode: 0o711 });
  const at = (name: string, ...rest: string[]) => path.join(workloads, name, ...rest);
  const secretFile = (record: Pick<WorkloadRecord, 'spec' | 'generation'>) =>
    at(record.spec.name, `secret-${record.generation}.json`);
  for (const leftover of await readdir(trash)) await removeTree(path.join(trash, leftover));

  return {
    directoryOf: (name) => at(name),
    attemptDirectory: (name, attempt) => at(name, 'attempts', String(attempt)),
    async load() {
      const found: StoredWorkload[] = [];
      for (const name of await readdir(workloads)) {
        const record = await readJson<WorkloadRecord>(at(name, 'workload.json'));
        if (record === undefined) {
          // It was never acknowledged.
          await removeTree(at(name));
          continue;
        }
        for (const file of await readdir(at(name)))
          if (/^secret-\d+\.json$/.test(file) && at(name, file) !== secretFile(record))
            await rm(at(name, file));
        const pod =
          (await readJson<PodRecord>(at(name, 'pod.json')).catch(() => undefined)) ??
          newPod(record.generation);
        found.push({ record, pod, removal: await readJson<Removal>(at(name, 'removing.json')) });
      }
      return found;
    },
    async save(record, secret) {
      const { name } = record.spec;
      const created = await mkdir(at(name), { recursive: true, mode: 0o711 });
      try {
        const before = await readJson<WorkloadRecord>(at(name, 'workload.json'));
        if (before?.generation !== record.generation)
          await writeAtomically(secretFile(record), JSON.stringify(secret));
        await writeAtomically(at(name, 'workload.json'), JSON.stringify(record));
        if (created !== undefined) await syncDirectory(workloads);
        if (before !== undefined && before.generation !== record.generation)
          await rm(secretFile(before), { force: true });
      } catch (error) {
        if (created !== undefined) await removeTree(at(name)).catch(() => {});
        throw error;
      }
    },
    secretOf: async (record) => (await readJson<Record<string, string>>(secretFile(record))) ?? {},
    savePod: (name, pod, options) => writeAtomically(at(name, 'pod.json'), JSON.stringify(pod), options),
    saveRemoval: (name, removal) => writeAtomically(at(name, 'removing.json'), JSON.stringify(removal)),
    async beginAttempt(name, attempt) {
      const attempts = at(name, 'attempts');
      await mkdir(attempts, { recursive: true, mode: 0o711 });
      for (const old of await readdir(attempts))
        if (Number(old) < attempt - 1) await removeTree(path.join(attempts, old));
      const directory = path.join(attempts, String(attempt));
      await mkdir(directory, { mode: 0o711 });
      return directory;
    },
    async forget(name) {
      // One rename, then the work: a crash in between leaves rubbish and not half a workload.
      const away = path.join(trash, `${name}-${randomBytes(4).toString('hex')}`);
      await rename(at(name), away);
      await syncDirectory(workloads);
      await removeTree(away);
    },
  };
}

/**
 * Removes what an app may have written. rm(1) follows no symbolic link and walks by open directories, so that neither links nor
 * paths longer than the kernel allows, which an app can plant, lead it astray.
 */
export async function removeTree(directory: string): Promise<void> {
  await run('rm', ['-rf', '--one-file-system', '--', directory], { env: { PATH: '/usr/bin:/bin' } });
}

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { open, readdir, readFile, realpath, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { deadline, sleep, until } from '@haic/kit/deadline.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess } from '@haic/kit/process-identity.ts';
import { at, insideEnvironment, type Layout } from './layout.ts';
import { isThere } from './run.ts';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** What is kept of a running cluster, to find it again. */
export interface ClusterRecord extends Omit<Layout, 'folder'> {
  /** The process whose end is the end of everything in the cluster, and process 1 in there. */
  readonly holder: ProcessIdentity;
  readonly first: number;
}

/** Starts the cluster's node in namespaces and control groups of its own, and waits until it is ready. */
export async function startEnclosed(
  layout: Layout,
  { tied, signal }: { tied: boolean; signal: AbortSignal },
): Promise<ClusterRecord> {
  await writeFile(at(layout, 'kept'), `${(await keptPaths(layout)).join('\n')}\n`);
  const log = await open(at(layout, 'node.log'), 'a');
  const { folder, binaries, debian, enforcer } = layout;
  const node = [process.execPath, here('node.ts'), folder, binaries, debian, enforcer];
  const child = spawn(
    here('namespaces.sh'),
    [
      groupOf(layout.folder),
      at(layout, 'groups'),
      here('node.sh'),
      layout.folder,
      at(layout, 'kept'),
      ...node,
    ],
    {
      cwd: '/',
      // A session of its own: what a terminal sends to who started it is not for the cluster.
      detached: true,
      stdio: [tied ? 'pipe' : 'ignore', log.fd, log.fd],
      env: { ...insideEnvironment(layout), HOME: layout.folder, HAIC_LIFELINE: tied ? '1' : '0' },
    },
  );
  await log.close();
  child.unref();
  const holder = child.pid === undefined ? undefined : await identify(child.pid);
  if (holder === undefined) throw new Error('The test cluster could not be started.');
  // From here on it can be found and ended, whatever happens to this process.
  const record = { holder, first: 0, binaries, debian, enforcer };
  await writeRecord(layout.folder, record);
  await untilReady(layout, holder, signal);
  const complete = { ...record, first: await onlyChildOf(holder.pid) };
  await writeRecord(layout.folder, complete);
  return complete;
}

/** Arguments for `nsenter`. */
export function enclosed(record: ClusterRecord, where: 'network' | 'node'): readonly string[] {
  const target = ['--target', String(record.first), '--net'];
  return where === 'network' ? target : [...target, '--mount', '--cgroup', '--pid', '--ipc', '--uts', '--'];
}

/** Ends the cluster that is in the folder, if it runs, and removes its control groups and the folder. */
export async function remove(folder: string): Promise<void> {
  const record = await readRecord(folder);
  // By --kill-child the kernel ends process 1 with it, and with that everything in its namespace; mounts and network go with the last.
  if (record !== undefined) await signalProcess(record.holder, 'SIGKILL');
  const groups = (await readFile(path.join(folder, 'groups'), 'utf8').catch(() => '')).split('\n');
  const signal = deadline(30_000);
  for (const group of groups.filter((line) => line !== '')) await removeGroup(group, signal);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

export async function readRecord(folder: string): Promise<ClusterRecord | undefined> {
  const text = await readFile(path.join(folder, 'cluster.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ClusterRecord);
}

const writeRecord = (folder: string, record: ClusterRecord): Promise<void> =>
  writeFile(path.join(folder, 'cluster.json'), JSON.stringify(record));

const groupOf = (folder: string): string =>
  `haic-test-cluster-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;

/** What the cluster reads of this machine's files, should it lie where a private folder will hide it. */
const keptPaths = (layout: Layout): Promise<string[]> =>
  Promise.all(
    [layout.folder, layout.binaries, layout.debian, layout.enforcer, here('../../'), process.execPath].map(
      (file) => realpath(file),
    ),
  );

async function untilReady(layout: Layout, holder: ProcessIdentity, signal: AbortSignal): Promise<void> {
  const ready = async () => {
    if (await isThere(at(layout, 'ready'))) return true;
    const failure = await readFile(at(layout, 'failed'), 'utf8').catch(() => undefined);
    if (failure === undefined && (await isAlive(holder))) return undefined;
    const log = (await readFile(at(layout, 'node.log'), 'utf8').catch(() => '')).trim().split('\n');
    throw new Error(
      `The test cluster did not start: ${failure ?? 'its first process ended.'}\n${log.slice(-12).join('\n')}`,
    );
  };
  await until(ready, { everyMs: 100, signal: deadline(240_000, signal) });
}

async function onlyChildOf(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  return Number(children[0]);
}

/** Below the last process's end by a moment: the kernel gives a group free when it has forgotten those that were in it. */
async function removeGroup(group: string, signal: AbortSignal): Promise<void> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => []);
  for (const entry of entries)
    if (entry.isDirectory()) await removeGroup(path.join(group, entry.name), signal);
  for (;;) {
    try {
      return await rmdir(group);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      signal.throwIfAborted();
      await sleep(50, signal);
    }
  }
}

import { access, constants, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sleep } from '@haic/kit/deadline.ts';
import type { Resources } from '../port.ts';
import { killAll } from './process-table.ts';

/** The kernel's limits and accounts for one attempt of a workload. */
export interface Cgroup {
  /** Files that a process writes its pid to, to join. */
  readonly procsFiles: readonly string[];
  pids(): Promise<number[]>;
  /** How often the kernel ended something here for want of memory. */
  oomKills(): Promise<number>;
  usage(): Promise<{ memoryBytes?: number; cpuMilliseconds?: number }>;
  /** SIGKILLs all but `except` until nothing is left. */
  kill(except: number | undefined): Promise<void>;
  remove(): Promise<void>;
}

export interface Cgroups {
  readonly version: 1 | 2;
  readonly limits: { readonly memory: boolean; readonly cpu: boolean; readonly pids: boolean };
  create(name: string, resources: Resources, processLimit: number): Promise<Cgroup>;
  /** The group of an attempt that was created earlier. */
  open(name: string): Cgroup;
  /** Names of all groups there are. */
  list(): Promise<string[]>;
  /** Removes the parent of all groups, if nothing is in it. */
  close(): Promise<void>;
}

const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
const numberAfter = (key: string, text: string): number =>
  Number(new RegExp(`^${key} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
const periodMicroseconds = 100_000;
const quota = (thousandths: number): number =>
  Math.max(1_000, Math.round((thousandths * periodMicroseconds) / 1_000));

/** Undefined where this process may not make groups with limits. `mount` is given by tests only. */
export async function findCgroups(parent: string, mount = '/sys/fs/cgroup'): Promise<Cgroups | undefined> {
  try {
    const controllers = await readFile(path.join(mount, 'cgroup.controllers'), 'utf8').catch(() => undefined);
    return controllers === undefined
      ? await findVersion1(mount, parent)
      : await findVersion2(mount, parent, controllers);
  } catch {
    return undefined;
  }
}

async function findVersion1(mount: string, parent: string): Promise<Cgroups | undefined> {
  const directories = new Map<string, string>();
  for (const controller of ['memory', 'cpu', 'cpuacct', 'pids']) {
    const directory = path.join(mount, controller, parent);
    const made = await access(path.join(mount, controller), constants.W_OK)
      .then(() => mkdir(directory, { recursive: true }))
      .then(() => access(path.join(directory, 'cgroup.procs'), constants.W_OK))
      .then(() => true)
      .catch(() => false);
    if (made) directories.set(controller, directory);
  }
  if (directories.size === 0) return undefined;
  const at = (controller: string, name: string, file: string) => {
    const directory = directories.get(controller);
    return directory === undefined ? undefined : path.join(directory, name, file);
  };
  const set = async (file: string | undefined, value: number | undefined) => {
    if (file !== undefined && value !== undefined) await writeFile(file, String(value));
  };
  const text = async (file: string | undefined) => (file === undefined ? '' : read(file));
  const any = [...directories.values()][0] ?? '';
  const open = (name: string): Cgroup =>
    group({
      directories: [...directories.values()].map((directory) => path.join(directory, name)),
      oomKills: async () => numberAfter('oom_kill', await text(at('memory', name, 'memory.oom_control'))),
      usage: async () => ({
        memory: await text(at('memory', name, 'memory.usage_in_bytes')),
        // Pages of files that could be given back at any time are not what someone means by the memory of an app.
        reclaimable: numberAfter('total_inactive_file', await text(at('memory', name, 'memory.stat'))),
        cpuMicroseconds: Number(await text(at('cpuacct', name, 'cpuacct.usage'))) / 1_000,
      }),
    });
  return {
    version: 1,
    limits: { memory: directories.has('memory'), cpu: directories.has('cpu'), pids: directories.has('pids') },
    open,
    list: () => groupsIn(any),
    close: () => removeEmpty([...directories.values()]),
    async create(name, resources, processLimit) {
      for (const directory of directories.values())
        await mkdir(path.join(directory, name), { recursive: true });
      await set(at('memory', name, 'memory.limit_in_bytes'), resources.memoryLimit);
      // Without an account of swap in this kernel the file does not exist: then swap is not limited.
      await set(at('memory', name, 'memory.memsw.limit_in_bytes'), resources.memoryLimit).catch(() => {});
      await set(at('memory', name, 'memory.soft_limit_in_bytes'), resources.memoryRequest);
      if (resources.cpuLimit !== undefined) {
        await set(at('cpu', name, 'cpu.cfs_period_us'), periodMicroseconds);
        await set(at('cpu', name, 'cpu.cfs_quota_us'), quota(resources.cpuLimit));
      }
      if (resources.cpuRequest !== undefined)
        await set(
          at('cpu', name, 'cpu.shares'),
          Math.max(2, Math.round((resources.cpuRequest * 1024) / 1_000)),
        );
      await set(at('pids', name, 'pids.max'), processLimit);
      return open(name);
    },
  };
}

async function findVersion2(
  mount: string,
  parent: string,
  controllers: string,
): Promise<Cgroups | undefined> {
  const wanted = ['memory', 'cpu', 'pids'].filter((name) => controllers.split(/\s+/).includes(name));
  if (wanted.length === 0) return undefined;
  const directory = path.join(mount, parent);
  const enable = wanted.map((name) => `+${name}`).join(' ');
  await writeFile(path.join(mount, 'cgroup.subtree_control'), enable);
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, 'cgroup.subtree_control'), enable);
  const open = (name: string): Cgroup => {
    const at = (file: string) => path.join(directory, name, file);
    return group({
      directories: [path.join(directory, name)],
      oomKills: async () => numberAfter('oom_kill', await read(at('memory.events'))),
      usage: async () => ({
        memory: await read(at('memory.current')),
        reclaimable: numberAfter('inactive_file', await read(at('memory.stat'))),
        cpuMicroseconds: numberAfter('usage_usec', await read(at('cpu.stat'))),
      }),
    });
  };
  return {
    version: 2,
    limits: { memory: wanted.includes('memory'), cpu: wanted.includes('cpu'), pids: wanted.includes('pids') },
    open,
    list: () => groupsIn(directory),
    close: () => removeEmpty([directory]),
    async create(name, resources, processLimit) {
      const at = (file: string) => path.join(directory, name, file);
      await mkdir(path.join(directory, name), { recursive: true });
      if (wanted.includes('memory')) {
        if (resources.memoryLimit !== undefined) {
          await writeFile(at('memory.max'), String(resources.memoryLimit));
          await writeFile(at('memory.swap.max'), '0').catch(() => {});
        }
        if (resources.memoryRequest !== undefined)
          await writeFile(at('memory.low'), String(resources.memoryRequest));
      }
      if (wanted.includes('cpu')) {
        if (resources.cpuLimit !== undefined)
          await writeFile(at('cpu.max'), `${quota(resources.cpuLimit)} ${periodMicroseconds}`);
        if (resources.cpuRequest !== undefined)
          await writeFile(
            at('cpu.weight'),
            String(Math.min(10_000, Math.max(1, Math.round(resources.cpuRequest / 10)))),
          );
      }
      if (wanted.includes('pids')) await writeFile(at('pids.max'), String(processLimit));
      return open(name);
    },
  };
}

async function removeEmpty(directories: readonly string[]): Promise<void> {
  for (const directory of directories) await rmdir(directory).catch(() => {});
}

async function groupsIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** What is the same for both versions. */
function group(own: {
  directories: readonly string[];
  oomKills: () => Promise<number>;
  usage: () => Promise<{ memory: string; reclaimable: number; cpuMicroseconds: number }>;
}): Cgroup {
  const procsFiles = own.directories.map((directory) => path.join(directory, 'cgroup.procs'));
  const pids = async () => {
    const found = new Set<number>();
    for (const file of procsFiles)
      for (const line of (await read(file)).split('\n')) if (line !== '') found.add(Number(line));
    return [...found];
  };
  return {
    procsFiles,
    pids,
    oomKills: own.oomKills,
    async usage() {
      const { memory, reclaimable, cpuMicroseconds } = await own.usage();
      return {
        ...(memory === '' ? {} : { memoryBytes: Math.max(0, Number(memory) - reclaimable) }),
        ...(Number.isNaN(cpuMicroseconds) ? {} : { cpuMilliseconds: Math.round(cpuMicroseconds / 1_000) }),
      };
    },
    async kill(except) {
      // Again and again: what forks while it is looked at must not get away. A process in an uninterruptible wait goes later.
      for (let round = 0; round < 200; round += 1) {
        const rest = (await pids()).filter((pid) => pid !== except);
        if (rest.length === 0) return;
        killAll(rest);
        await sleep(round < 20 ? 5 : 50);
      }
    },
    async remove() {
      for (const directory of own.directories) {
        // Just after its last process the kernel may still hold the group for a moment.
        for (let round = 0; round < 20; round += 1) {
          const done = await rmdir(directory).then(
            () => true,
            (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
          );
          if (done) break;
          await sleep(25);
        }
      }
    },
  };
}

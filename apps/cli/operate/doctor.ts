import { execFile } from 'node:child_process';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '@haic/kit/errors.ts';
import { findStrays } from '@haic/platform/blob/filesystem/orphans.ts';
import { type BlobStoreSetting, describeBlobStore } from '@haic/platform/blob/setting.ts';
import { findStraysInStore } from '@haic/server/blobs.ts';
import {
  grpcPort,
  installationOf,
  type ServerSettings,
  settings as settingsReference,
} from '@haic/server/settings.ts';
import { liveProcess, type RunningInstallation, readRecord } from '../installation/processes.ts';
import { CommandError, print, table } from '../terminal.ts';
import { unfinishedRestoreIn } from './restore/blobs.ts';

const run = promisify(execFile);

export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'limited';
  readonly found: string;
  /** How to get it; empty when it is there. */
  readonly remedy: string;
}

type CheckOf = (settings: ServerSettings) => Promise<Check>;

const ok = (name: string, found: string): Check => ({ name, state: 'ok', found, remedy: '' });

const operatingSystem: CheckOf = async () =>
  process.platform === 'linux' && process.arch === 'x64'
    ? ok('System', `${os.type()} ${os.release()} ${process.arch}`)
    : {
        name: 'System',
        state: 'missing',
        found: `${os.type()} ${process.arch}`,
        remedy: 'Run Haic on Linux x86-64 or WSL2; other systems can be its clients.',
      };

/** The system's Python, because apps run under uids that cannot read a Python in somebody's home. */
const python: CheckOf = async () => {
  const remedy = 'Install Python 3.10 or newer for all users, on Debian: apt install python3 python3-pip';
  try {
    const { stdout } = await run('/usr/bin/python3', [
      '-I',
      '-c',
      'import sys; print("%d.%d.%d" % sys.version_info[:3])',
    ]);
    const [major = 0, minor = 0] = stdout.trim().split('.').map(Number);
    if (major > 3 || (major === 3 && minor >= 10))
      return ok('Python', `${stdout.trim()} at /usr/bin/python3`);
    return { name: 'Python', state: 'missing', found: `${stdout.trim()} is older than 3.10`, remedy };
  } catch {
    return { name: 'Python', state: 'missing', found: 'no /usr/bin/python3', remedy };
  }
};

const sandbox: CheckOf = async (settings) => {
  const name = 'Isolation of apps';
  const remedy =
    'Install bubblewrap (on Debian: apt install bubblewrap) and start Haic as root, so that each app gets a uid and a sandbox of its own.';
  const state = settings.isolation === 'required' ? 'missing' : 'limited';
  if (settings.isolation === 'none')
    return {
      name,
      state: 'limited',
      found: 'switched off (HAIC_ISOLATION=none)',
      remedy: 'Unset HAIC_ISOLATION.',
    };
  if (process.getuid?.() !== 0)
    return { name, state, found: 'not root: apps run as you, with your files', remedy };
  try {
    await run('setpriv', [
      ...['--reuid=61000', '--regid=61000', '--clear-groups', '--no-new-privs'],
      ...['bwrap', '--ro-bind', '/', '/', '--unshare-pid', '--proc', '/proc', 'true'],
    ]);
    return ok(name, 'own uid and bubblewrap');
  } catch (error) {
    return { name, state, found: `bubblewrap does not work: ${messageOf(error).split('\n')[0]}`, remedy };
  }
};

const limits: CheckOf = async () => {
  const name = 'Memory and CPU limits';
  const places = ['/sys/fs/cgroup/cgroup.subtree_control', '/sys/fs/cgroup/memory'];
  for (const place of places) {
    const writable = await access(place, constants.W_OK).then(
      () => true,
      () => false,
    );
    if (writable) return ok(name, place.endsWith('memory') ? 'cgroup v1' : 'cgroup v2');
  }
  return {
    name,
    state: 'limited',
    found: 'no cgroup that Haic may write',
    remedy: 'Start Haic as root, or in a container with a writable cgroup.',
  };
};

const diskSpace: CheckOf = async (settings) => {
  const place = await nearestExisting(settings.home);
  const { bavail, bsize } = await statfs(place);
  const gigabytes = (Number(bavail) * Number(bsize)) / 2 ** 30;
  const found = `${gigabytes.toFixed(1)} GiB free for ${settings.home}`;
  if (gigabytes >= 2) return ok('Disk', found);
  return {
    name: 'Disk',
    state: 'missing',
    found,
    remedy: 'Free at least 2 GiB, or set HAIC_HOME to a larger disk.',
  };
};

const ports: CheckOf = async (settings) => {
  const at = installationOf(settings);
  if ((await liveProcess(at.run, 'router')) !== undefined) {
    const running = await readRecord<RunningInstallation>(at.run, 'installation');
    return ok('Ports', `Haic itself listens on ${running?.port ?? settings.port}`);
  }
  const needed = [settings.port, settings.port + 2, grpcPort(settings)];
  for (const port of needed) {
    if (await isFree(port)) continue;
    return {
      name: 'Ports',
      state: 'missing',
      found: `something else listens on ${port}`,
      remedy: 'Stop it, or choose another port: ./haic up --port N',
    };
  }
  return ok('Ports', `${needed.join(', ')} are free`);
};

const readableCache: CheckOf = async (settings) => {
  if (process.getuid?.() !== 0) return ok('Cache', settings.cache);
  for (let place = await nearestExisting(settings.cache); place !== '/'; place = path.dirname(place)) {
    const { mode } = await stat(place);
    if ((mode & 0o001) !== 0) continue;
    return {
      name: 'Cache',
      state: 'missing',
      found: `${place} is closed to other uids, and apps must read what is cached`,
      remedy: 'Unset HAIC_CACHE (default /var/cache/haic), or choose a folder that all may enter.',
    };
  }
  return ok('Cache', settings.cache);
};

const java: CheckOf = async () => {
  try {
    const { stderr } = await run('java', ['-version']);
    return ok('Java', stderr.split('\n')[0] ?? '');
  } catch {
    return {
      name: 'Java',
      state: 'limited',
      found: 'not found',
      remedy: 'Only needed for H2O-3 engines and MOJO scorers. On Debian: apt install default-jre-headless',
    };
  }
};

/** What crashes or a damaged disk left of bundles and objects. Not asked before a start: it looks at every one of them. */
const objects: CheckOf = async (settings) => {
  const name = 'Objects';
  const { blobStore } = settings;
  const unfinished = blobStore && (await unfinishedRestore(name, { ...settings, blobStore }));
  if (unfinished !== undefined) return unfinished;
  if (blobStore !== undefined && blobStore.kind !== 'filesystem')
    return objectsInStore(name, blobStore, settings);
  const directory = blobStore?.directory ?? installationOf(settings).blobs;
  const { orphans, lost } = await findStrays(directory, { signal: AbortSignal.timeout(600_000) });
  if (lost.length > 0)
    return {
      name,
      state: 'limited',
      found: `${lost.length} whose bytes are gone, the first: ${lost[0]}`,
      remedy:
        'Their bytes were removed or lost by the disk: get them from a backup, or delete and upload them again.',
    };
  if (orphans.length > 0)
    return {
      name,
      state: 'limited',
      found: `${orphans.length} files that belong to none, the first: ${orphans[0]}`,
      remedy: 'Left behind by a crash; nothing reads them. Remove them when the space is wanted.',
    };
  return ok(name, `all there, in ${directory}`);
};

/** Undefined as well where the store does not answer: the next question to it tells why. */
async function unfinishedRestore(
  name: string,
  settings: ServerSettings & { readonly blobStore: BlobStoreSetting },
): Promise<Check | undefined> {
  const at = installationOf(settings);
  const found = await unfinishedRestoreIn(settings, at, AbortSignal.timeout(60_000)).catch(() => undefined);
  return found && { name, state: 'limited', ...found };
}

async function objectsInStore(
  name: string,
  store: Parameters<typeof findStraysInStore>[0],
  settings: ServerSettings,
): Promise<Check> {
  const where = describeBlobStore(store);
  try {
    const strays = await findStraysInStore(store, settings, { signal: AbortSignal.timeout(600_000) });
    if (strays.length === 0) return ok(name, `in ${where}, which answers`);
    return {
      name,
      state: 'limited',
      found: `${strays.length} left of uploads that have ended in ${where}, the first: ${strays[0]}`,
      remedy:
        'Left behind by a crash; nothing reads them. Delete them, or have a lifecycle rule of the store delete what is below uploads/, and uploads in parts, after some weeks.',
    };
  } catch (error) {
    return {
      name,
      state: 'limited',
      found: `${where}: ${messageOf(error)}`,
      remedy: 'Bundles and objects are there: mend the way to it, or what Haic shows it.',
    };
  }
}

const checks: readonly CheckOf[] = [
  operatingSystem,
  python,
  sandbox,
  limits,
  diskSpace,
  readableCache,
  ports,
  java,
];

export const failedRequirements = async (settings: ServerSettings): Promise<readonly Check[]> =>
  (await Promise.all(checks.map((check) => check(settings)))).filter((check) => check.state === 'missing');

/** Says what this machine has, what is missing and how to get it. Fails when something is missing that Haic cannot do without. */
export async function doctor(
  settings: ServerSettings,
  options: { json: boolean; settings: boolean },
): Promise<void> {
  if (options.settings) return printSettings();
  const found = await Promise.all([...checks, objects].map((check) => check(settings)));
  if (options.json) print(JSON.stringify(found, undefined, 2));
  else {
    print(
      table(
        ['CHECK', 'STATE', 'FOUND'],
        found.map((check) => [check.name, check.state, check.found]),
      ),
    );
    for (const check of found) if (check.remedy !== '') print(`\n${check.name}: ${check.remedy}`);
  }
  if (found.some((check) => check.state === 'missing'))
    throw new CommandError('Haic cannot start here before what is missing is there.');
}

const printSettings = (): void =>
  print(
    table(
      ['SETTING', 'DEFAULT', 'MEANING'],
      Object.values(settingsReference).map((s) => [s.env, s.defaultText ?? '', s.doc]),
    ),
  );

async function nearestExisting(place: string): Promise<string> {
  const exists = await stat(place).then(
    () => true,
    () => false,
  );
  return exists ? place : nearestExisting(path.dirname(place));
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

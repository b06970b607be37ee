import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deadline, until } from '@haic/kit/deadline.ts';
import { isAlive, type ProcessIdentity } from '@haic/kit/process-identity.ts';
import { makeZip, type ZipItem } from '@haic/launcher/testing/zip.ts';
import { importBundle, runApp, waitForStatus } from '../support/api.ts';
import type { Haic } from '../support/haic.ts';

/** How many kills a test of random kills makes: a few for every day, many in the full size. */
export const kills = process.env.HAIC_TEST_SIZE === 'full' ? 200 : 8;

const probe = await readFile(path.join(import.meta.dirname, 'probe_app.py'), 'utf8');

export interface AppParts {
  readonly name?: string;
  /** More lines of `[Runtime]`. */
  readonly runtime?: readonly string[];
  readonly source?: string;
  readonly appMode?: 'python' | 'wave';
  readonly files?: readonly ZipItem[];
}

/** An app of the standard library alone: starts in a second, and nothing has to be installed. */
export function bundleOf(parts: AppParts = {}): Buffer {
  const manifest = [
    '[App]',
    `Name = "ai.test.${parts.name ?? 'probe'}"`,
    'Version = "1.0.0"',
    `Title = "${parts.name ?? 'Probe'}"`,
    'Description = "For the tests of faults"',
    '[Runtime]',
    'Module = "main"',
    `AppMode = "${parts.appMode ?? 'python'}"`,
    ...(parts.runtime ?? ['MemoryLimit = "512Mi"']),
  ];
  return makeZip([
    { name: 'app.toml', content: `${manifest.join('\n')}\n` },
    { name: 'main.py', content: parts.source ?? probe },
    ...(parts.files ?? []),
  ]);
}

let imported = 0;

export async function importApp(haic: Haic, token: string, parts: AppParts = {}): Promise<string> {
  imported += 1;
  const name = `probe${imported}`;
  const file = path.join(haic.home, `${name}.wave`);
  await writeFile(file, bundleOf({ name, ...parts }));
  return (await importBundle(haic, token, file)).id;
}

/** An instance of the probe that is DEPLOYED. */
export async function startProbe(haic: Haic, token: string, parts: AppParts = {}): Promise<string> {
  const { id } = await runApp(haic, token, await importApp(haic, token, parts));
  await waitForStatus(haic, token, id, 'DEPLOYED');
  return id;
}

export const instanceHost = (haic: Haic, id: string) => `http://${id}.localhost:${haic.port}`;

/** Asks the app through the router, as a program of its owner does; undefined while it cannot be reached. */
export async function askApp(
  haic: Haic,
  token: string,
  id: string,
  at = '/',
): Promise<{ status: number; text: string } | undefined> {
  try {
    const response = await fetch(`${haic.url}/instance/${id}${at}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: deadline(10_000),
    });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}

/** Which process of the app answers; undefined when none does. */
export async function bornOf(haic: Haic, token: string, id: string): Promise<string | undefined> {
  const answer = await askApp(haic, token, id);
  return answer?.status === 200 ? (JSON.parse(answer.text) as { born?: string }).born : undefined;
}

export const eventually = <T>(
  check: () => Promise<T | undefined> | T | undefined,
  seconds = 60,
): Promise<T> => until(check, { everyMs: 100, signal: deadline(seconds * 1000) });

/** The platform's own processes, by the records that `up` and the supervisor write. */
export const platformNames = ['supervisor', 'router', 'drive', 'core'] as const;
export type PlatformName = (typeof platformNames)[number];

export async function platformProcess(haic: Haic, name: PlatformName): Promise<ProcessIdentity> {
  return JSON.parse(await readFile(path.join(haic.home, 'run', `${name}.json`), 'utf8')) as ProcessIdentity;
}

/** SIGKILL, as the kernel does it when memory runs out; returns when it is gone. */
export async function killHard(haic: Haic, names: readonly PlatformName[]): Promise<void> {
  const identities = await Promise.all(names.map((name) => platformProcess(haic, name)));
  for (const { pid } of identities) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It was just between two lives.
    }
  }
  for (const identity of identities)
    await eventually(async () => ((await isAlive(identity)) ? undefined : true));
}

/** Waits until another process than `before` has the role. */
export const restarted = (
  haic: Haic,
  name: PlatformName,
  before: ProcessIdentity,
): Promise<ProcessIdentity> =>
  eventually(async () => {
    const now = await platformProcess(haic, name).catch(() => undefined);
    return now !== undefined && now.startTime !== before.startTime && (await isAlive(now)) ? now : undefined;
  });

export interface FoundProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/** Every process that has to do with this Haic's home: by its command line, environment, or what is mounted in its sandbox. */
export async function processesOf(haic: Haic): Promise<FoundProcess[]> {
  const found: FoundProcess[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
    if (pid === process.pid) continue;
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const commandLine = (await read('cmdline')).replaceAll('\0', ' ').trim();
    // The last part: inside a sandbox the home is seen from the root of its file system.
    const mark = path.basename(haic.home);
    const all = [commandLine, await read('environ'), await read('mountinfo')];
    if (all.some((text) => text.includes(mark))) found.push({ pid, commandLine });
  }
  return found;
}

/** The shims of an instance: one is one running attempt. A fork that is about to become the command has the same command line. */
export async function shimsOf(haic: Haic, id: string): Promise<FoundProcess[]> {
  const shims: FoundProcess[] = [];
  for (const found of await processesOf(haic)) {
    if (!found.commandLine.includes('shim.sh') || !found.commandLine.includes(id)) continue;
    const stat = await readFile(`/proc/${found.pid}/stat`, 'utf8').catch(() => '');
    const session = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3];
    if (session === String(found.pid)) shims.push(found);
  }
  return shims;
}

/** Descendants of the instance's shim whose command line fits. */
export async function processesOfInstance(haic: Haic, id: string, fits: RegExp): Promise<FoundProcess[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const roots = new Set((await shimsOf(haic, id)).map(({ pid }) => pid));
  const isBelow = (pid: number): boolean => {
    for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at))
      if (roots.has(at)) return true;
    return false;
  };
  return (await processesOf(haic)).filter(({ pid, commandLine }) => fits.test(commandLine) && isBelow(pid));
}

/** The port of this machine on which the app itself listens. */
export async function appPortOf(haic: Haic, id: string): Promise<number> {
  const file = path.join(haic.home, 'runtime', 'workloads', `app-${id}`, 'pod.json');
  return (JSON.parse(await readFile(file, 'utf8')) as { ports: { app: number } }).ports.app;
}

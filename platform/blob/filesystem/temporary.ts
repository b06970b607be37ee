import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Disk } from './disk/disk.ts';
import { ifThere, removeEmptyDirectories } from './files.ts';
import { placeOf } from './key-path.ts';
import { partListName, readPartList } from './part-list.ts';
import { readRecord } from './read-record.ts';

/** What another machine left on a shared volume is only known to be dead by its age. */
const foreignLeftoversAfterMs = 24 * 60 * 60 * 1000;

interface Beside {
  readonly disk: Disk;
  readonly objects: string;
  readonly uploads: string;
}

/**
 * Each process writes into a folder of its own below `temporary/`, named after the machine, its boot and the process: so that at the next
 * start it is known which of them still lives. In it are unfinished contents (`<id>`) and intents (`<id>.json`): the key
 * whose files were being changed, written before the change and removed after it.
 */
export async function openTemporaryFolder(root: string, beside: Beside): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const self = await processIdentity();
  for (const name of await readdir(root)) {
    if (name !== self && (await isAbandoned(path.join(root, name), name, self)))
      await sweep(path.join(root, name), beside);
  }
  const own = path.join(root, self);
  await mkdir(own, { recursive: true, mode: 0o700 });
  return own;
}

/** host~boot~pid~start time: a recycled pid or a reboot is never mistaken for the process that wrote. */
async function processIdentity(): Promise<string> {
  const boot = (await ifThere(readFile('/proc/sys/kernel/random/boot_id', 'utf8')))?.trim() ?? 'boot';
  return [encodeURIComponent(hostname()), boot, process.pid, await startTimeOf(process.pid)].join('~');
}

/** Clock ticks since boot; the text after the last `)` because a process may carry any name. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const text = await ifThere(readFile(`/proc/${pid}/stat`, 'utf8'));
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

async function isAbandoned(folder: string, name: string, self: string): Promise<boolean> {
  const [host, boot, pid, startTime] = name.split('~');
  const [selfHost, selfBoot] = self.split('~');
  if (host !== selfHost) {
    const info = await ifThere(stat(folder));
    return info !== undefined && Date.now() - info.mtimeMs > foreignLeftoversAfterMs;
  }
  return boot !== selfBoot || (await startTimeOf(Number(pid))) !== startTime;
}

async function sweep(folder: string, beside: Beside): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.json')) continue;
    const text = await ifThere(readFile(path.join(folder, name), 'utf8'));
    const intent = text === undefined ? undefined : readIntent(text);
    if (intent !== undefined) await removeStrayVersions(beside, intent);
  }
  await rm(folder, { recursive: true, force: true });
}

interface Intent {
  readonly key: string;
  readonly version?: string;
  readonly uploadId?: string;
}

/** Undefined for an intent that was cut short: nothing had been changed yet then. */
function readIntent(text: string): Intent | undefined {
  try {
    const intent = JSON.parse(text) as { key?: unknown };
    return typeof intent.key === 'string' ? (intent as Intent) : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps what the record names; a change that was not finished, or its predecessor's bytes, goes. */
async function removeStrayVersions(beside: Beside, intent: Intent): Promise<void> {
  const place = placeOf(beside.objects, intent.key);
  const current = (await readRecord(beside.disk, place))?.version;
  for (const name of (await ifThere(readdir(place.directory))) ?? []) {
    if (!name.startsWith(`${place.name}@`)) continue;
    const version = name.slice(place.name.length + 1);
    if (!/^[0-9a-f]{16}$/.test(version)) continue;
    const at = path.join(place.directory, name);
    if (version === current) await removeUnusedParts(at);
    else if (version === intent.version && intent.uploadId !== undefined)
      // The parts were acknowledged, their completion was not.
      await rename(at, path.join(beside.uploads, intent.uploadId));
    else await rm(at, { recursive: true, force: true });
  }
  await removeEmptyDirectories(place.directory, beside.objects);
}

/** Parts that were sent and then left out, or sent again. */
export async function removeUnusedParts(version: string): Promise<void> {
  const parts = await readPartList(version);
  if (parts === undefined) return;
  const used = new Set([partListName, ...parts.map((part) => part.file)]);
  for (const name of (await ifThere(readdir(version))) ?? [])
    if (!used.has(name)) await rm(path.join(version, name), { force: true });
}

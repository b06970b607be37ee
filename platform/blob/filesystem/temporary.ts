import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { ifThere, removeEmptyDirectories, removeIfThere } from './files.ts';
import { placeOf } from './key-path.ts';
import { readRecord } from './record.ts';

/** What another machine left on a shared volume is only known to be dead by its age. */
const foreignLeftoversAfterMs = 24 * 60 * 60 * 1000;

/**
 * Each process writes into a folder of its own below `temporary/`, named after the machine, its boot and the process: so that at the next
 * start it is known which of them still lives. In it are unfinished contents (`<id>`) and intents (`<id>.json`): the key
 * whose files were being changed, written before the change and removed after it.
 */
export async function openTemporaryFolder(root: string, objects: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const self = await processIdentity();
  for (const name of await readdir(root)) {
    if (name !== self && (await isAbandoned(path.join(root, name), name, self)))
      await sweep(path.join(root, name), objects);
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

async function sweep(folder: string, objects: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.json')) continue;
    const text = await ifThere(readFile(path.join(folder, name), 'utf8'));
    const key = text === undefined ? undefined : keyOfIntent(text);
    if (key !== undefined) await removeStrayVersions(objects, key);
  }
  await rm(folder, { recursive: true, force: true });
}

/** Undefined for an intent that was cut short: nothing had been changed yet then. */
function keyOfIntent(text: string): string | undefined {
  try {
    const { key } = JSON.parse(text) as { key?: unknown };
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps what the record names; a change that was not finished, or its predecessor's bytes, goes. */
async function removeStrayVersions(objects: string, key: string): Promise<void> {
  const place = placeOf(objects, key);
  const current = (await readRecord(place))?.version;
  for (const name of (await ifThere(readdir(place.directory))) ?? []) {
    if (!name.startsWith(`${place.name}@`)) continue;
    const version = name.slice(place.name.length + 1);
    if (/^[0-9a-f]{16}$/.test(version) && version !== current)
      await removeIfThere(path.join(place.directory, name));
  }
  await removeEmptyDirectories(place.directory, objects);
}

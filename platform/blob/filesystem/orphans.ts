import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createOwnDisk } from './disk/create-disk.ts';
import type { Disk } from './disk/disk.ts';
import { ifThere } from './files.ts';
import { recordSuffix } from './key-path.ts';
import { readRecordFile } from './read-record.ts';
import type { BlobRecord } from './record.ts';

export interface Stray {
  /** Bytes that no record names: leftovers of writers that no start has swept. Absolute paths. */
  readonly orphans: readonly string[];
  /** Records whose bytes are gone: blobs that are lost. Absolute paths. */
  readonly lost: readonly string[];
}

/** Whatever is younger may be a change that is going on. */
const anHour = 60 * 60 * 1000;

/** Goes through the records of all blobs below the store's folder, while it is in use. */
export async function findStrays(
  directory: string,
  { signal, settledAfterMs = anHour }: { signal: AbortSignal; settledAfterMs?: number },
): Promise<Stray> {
  const search: Search = {
    ...{ orphans: [], lost: [], disk: createOwnDisk() },
    ...{ signal, settledBefore: Date.now() - settledAfterMs },
  };
  await look(path.join(path.resolve(directory), 'objects'), search);
  const { orphans, lost } = search;
  return { orphans, lost };
}

interface Search {
  readonly orphans: string[];
  readonly lost: string[];
  readonly disk: Disk;
  readonly signal: AbortSignal;
  readonly settledBefore: number;
}

async function look(folder: string, search: Search): Promise<void> {
  search.signal.throwIfAborted();
  const blobs = new Map<string, { record: boolean; versions: string[] }>();
  for (const entry of (await ifThere(readdir(folder, { withFileTypes: true }))) ?? []) {
    const [, name = '', version] = /^(.*)@(?:\.json|([0-9a-f]{16}))$/s.exec(entry.name) ?? [];
    if (name === '') {
      if (entry.isDirectory()) await look(path.join(folder, entry.name), search);
      continue;
    }
    const blob = blobs.get(name) ?? { record: false, versions: [] };
    blobs.set(name, blob);
    if (version === undefined) blob.record = true;
    else blob.versions.push(version);
  }
  const found = [...blobs];
  for (let i = 0; i < found.length; i += width)
    await Promise.all(found.slice(i, i + width).map(([name, blob]) => compare(folder, name, blob, search)));
}

/** Records read at once. */
const width = 32;

async function compare(
  folder: string,
  name: string,
  { record, versions }: { readonly record: boolean; readonly versions: readonly string[] },
  search: Search,
): Promise<void> {
  const file = path.join(folder, name + recordSuffix);
  const current = record ? await readRecordFile(search.disk, file) : undefined;
  for (const version of versions)
    if (version !== current?.version) await addOrphan(search, path.join(folder, `${name}@${version}`));
  if (current !== undefined && !current.within && !versions.includes(current.version))
    await addLost(search, file, current);
}

async function addOrphan(search: Search, file: string): Promise<void> {
  const info = await ifThere(stat(file));
  if (info !== undefined && info.ctimeMs <= search.settledBefore) search.orphans.push(file);
}

/** Unless it was replaced since the folder was read. */
async function addLost(search: Search, file: string, before: BlobRecord): Promise<void> {
  const now = await readRecordFile(search.disk, file);
  if (now?.version === before.version) search.lost.push(file);
}

import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ifThere } from './files.ts';
import { readEntryName } from './key-path.ts';

export interface FolderItem {
  /** What a key goes on with in this folder; for a folder it ends in a slash. */
  readonly name: string;
  /** Undefined: a blob. */
  readonly folder: string | undefined;
}

export interface FolderNames {
  /** What the folder holds, in no order; nothing when it is not there. */
  read(directory: string): Promise<readonly FolderItem[]>;
}

/** Small folders are read faster than looked up. */
const smallest = 2_000;
const mostNames = 300_000;
/** A folder that changed just now may change again without a new time, however coarse the clock of the disk. */
const settledAfterMs = 2_000;

/**
 * Remembers the names of large folders for as long as their time stays the same: whoever pages through 100,000 keys would otherwise read
 * all of them a hundred times.
 */
export function createFolderNames(): FolderNames {
  const known = new Map<string, { time: string; items: readonly FolderItem[] }>();
  return {
    read: async (directory) => {
      const before = await timeOf(directory);
      if (before === undefined) return [];
      const remembered = known.get(directory);
      known.delete(directory);
      if (remembered?.time === before.time) {
        known.set(directory, remembered);
        return remembered.items;
      }
      const { items, nested } = await itemsOf(directory);
      if (!nested && items.length >= smallest && items.length <= mostNames && before.settled) {
        known.set(directory, { time: before.time, items });
        forgetOldest(known);
      }
      return items;
    },
  };
}

function forgetOldest(known: Map<string, { items: readonly FolderItem[] }>): void {
  let total = 0;
  for (const { items } of known.values()) total += items.length;
  for (const [directory, { items }] of known) {
    if (total <= mostNames) return;
    known.delete(directory);
    total -= items.length;
  }
}

async function timeOf(directory: string): Promise<{ time: string; settled: boolean } | undefined> {
  const info = await ifThere(stat(directory, { bigint: true }));
  if (info === undefined) return undefined;
  const age = Date.now() - Number(info.mtimeMs);
  return { time: `${info.ino} ${info.mtimeNs} ${info.ctimeNs}`, settled: age > settledAfterMs };
}

/** Parts of over-long names are read into their folder's list: their keys may sort between its other names. */
async function itemsOf(directory: string, start = ''): Promise<{ items: FolderItem[]; nested: boolean }> {
  const items: FolderItem[] = [];
  let nested = false;
  for (const entry of (await ifThere(readdir(directory))) ?? []) {
    const read = readEntryName(entry);
    if (read === undefined) continue;
    if (read.kind === 'blob') items.push({ name: start + read.text, folder: undefined });
    else if (read.kind === 'folder')
      items.push({ name: `${start}${read.text}/`, folder: path.join(directory, entry) });
    else {
      nested = true;
      for (const item of (await itemsOf(path.join(directory, entry), start + read.text)).items)
        items.push(item);
    }
  }
  return { items, nested };
}

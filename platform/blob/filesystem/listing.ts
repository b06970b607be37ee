import { opendir } from 'node:fs/promises';
import path from 'node:path';
import { compareKeys } from '../key.ts';
import { ifThere } from './files.ts';
import type { FolderItem, FolderNames } from './folder-names.ts';
import { directoryOfPrefix, readEntryName } from './key-path.ts';
import { smallestFirst } from './smallest-first.ts';

export interface WalkOptions {
  readonly prefix: string;
  readonly after: string | undefined;
  /** Tells the folders of the one that the prefix names, instead of going into them. */
  readonly foldersOnly: boolean;
}

export interface WalkItem {
  readonly text: string;
  /** Undefined: a blob. */
  readonly folder: string | undefined;
}

/**
 * The keys that start with `prefix` and come after `after`, in byte order. Holds the names of one folder a level and enters only
 * folders that can hold such keys.
 */
export async function* walk(
  root: string,
  names: FolderNames,
  options: WalkOptions,
): AsyncGenerator<WalkItem> {
  const start = options.prefix.slice(0, options.prefix.lastIndexOf('/') + 1);
  yield* walkFolder(directoryOfPrefix(root, start), start, names, options);
}

async function* walkFolder(
  directory: string,
  start: string,
  names: FolderNames,
  options: WalkOptions,
): AsyncGenerator<WalkItem> {
  const bound = boundIn(start, options.after);
  if (bound === 'all of it comes before') return;
  const rest = options.prefix.startsWith(start) ? options.prefix.slice(start.length) : '';
  const wanted = (item: FolderItem) =>
    item.folder === undefined || options.foldersOnly
      ? item.name.startsWith(rest) && isAfter(item.name, bound)
      : mayHold(item.name, rest) && mayHoldAfter(item.name, bound);
  const items = (await names.read(directory)).filter(wanted);
  // No other item's keys start with a folder's name, so sorting items sorts the keys below them too.
  for (const { name, folder } of smallestFirst(items, (a, b) => compareKeys(a.name, b.name))) {
    const text = start + name;
    if (folder === undefined || options.foldersOnly) yield { text, folder };
    else yield* walkFolder(folder, text, names, options);
  }
}

/** What the names in a folder must come after, undefined when each does. */
function boundIn(start: string, after: string | undefined): string | undefined | 'all of it comes before' {
  if (after === undefined || compareKeys(after, start) < 0) return undefined;
  return after.startsWith(start) ? after.slice(start.length) : 'all of it comes before';
}

const isAfter = (name: string, bound: string | undefined) =>
  bound === undefined || compareKeys(name, bound) > 0;

const mayHold = (folder: string, prefix: string) => folder.startsWith(prefix) || prefix.startsWith(folder);

const mayHoldAfter = (folder: string, bound: string | undefined) =>
  isAfter(folder, bound) || (bound?.startsWith(folder) ?? true);

/** Whether there is a key below; reads no more of a large folder than its beginning. */
export async function holdsKeys(directory: string): Promise<boolean> {
  const entries = await ifThere(opendir(directory));
  if (entries === undefined) return false;
  const below: string[] = [];
  for await (const entry of entries) {
    const kind = readEntryName(entry.name)?.kind;
    if (kind === 'blob') return true;
    if (kind !== undefined) below.push(path.join(directory, entry.name));
  }
  for (const folder of below) if (await holdsKeys(folder)) return true;
  return false;
}

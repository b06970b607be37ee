import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ifThere } from './files.ts';
import { directoryOfPrefix, readEntryName } from './key-path.ts';

interface Item {
  /** The key, or what all keys of the folder start with (it ends in a slash then). */
  readonly text: string;
  readonly bytes: Buffer;
  /** Undefined: a blob. */
  readonly folder: string | undefined;
}

/**
 * The keys that start with `prefix` and come after `after`, in byte order. Holds the names of one folder a level and enters only
 * folders that can hold such keys.
 */
export async function* walkKeys(
  root: string,
  options: { prefix: string; after: string | undefined },
): AsyncGenerator<string> {
  const start = options.prefix.slice(0, options.prefix.lastIndexOf('/') + 1);
  const after = options.after === undefined ? undefined : Buffer.from(options.after);
  yield* walkFolder(directoryOfPrefix(root, start), start, options.prefix, after);
}

async function* walkFolder(
  directory: string,
  start: string,
  prefix: string,
  after: Buffer | undefined,
): AsyncGenerator<string> {
  // No other item's keys start with a folder's text, so sorting items sorts the keys below them too.
  const items = (await itemsOf(directory, start)).sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  for (const item of items) {
    if (item.folder === undefined) {
      if (item.text.startsWith(prefix) && isAfter(item.bytes, after)) yield item.text;
    } else if (mayHold(item.text, prefix) && mayHoldAfter(item.bytes, after)) {
      yield* walkFolder(item.folder, item.text, prefix, after);
    }
  }
}

const isAfter = (bytes: Buffer, after: Buffer | undefined) =>
  after === undefined || Buffer.compare(bytes, after) > 0;

const mayHold = (folder: string, prefix: string) => folder.startsWith(prefix) || prefix.startsWith(folder);

const mayHoldAfter = (folder: Buffer, after: Buffer | undefined) =>
  isAfter(folder, after) || (after?.subarray(0, folder.length).equals(folder) ?? true);

/** Parts of over-long names are read into their folder's list: their keys may sort between its other names. */
async function itemsOf(directory: string, start: string): Promise<Item[]> {
  const items: Item[] = [];
  for (const entry of (await ifThere(readdir(directory, { withFileTypes: true }))) ?? []) {
    const read = readEntryName(entry.name, entry.isDirectory());
    if (read === undefined) continue;
    const below = path.join(directory, entry.name);
    if (read.kind === 'continued') {
      items.push(...(await itemsOf(below, start + read.text)));
      continue;
    }
    const text = start + read.text + (read.kind === 'folder' ? '/' : '');
    items.push({ text, bytes: Buffer.from(text), folder: read.kind === 'folder' ? below : undefined });
  }
  return items;
}

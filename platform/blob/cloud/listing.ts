import { compareKeys } from '../key.ts';
import type { BlobEntry, BlobPage, ListOptions } from '../port.ts';
import { hashedGroupOf, namePrefixOf, readFolder, readName } from './names.ts';

/** What a store says of an object; `key` when it says that too. Names are without what all of them start with. */
export interface NativeItem extends Omit<BlobEntry, 'key'> {
  readonly name: string;
  readonly key?: string;
}

export interface NativePage {
  readonly items: readonly NativeItem[];
  /** With a slash at the end. */
  readonly folders: readonly string[];
}

export interface NativeListing {
  /** Pages in byte order of the names, of those after `after`; with `folders` what goes on after a slash once. */
  pages(options: {
    prefix: string;
    after: string | undefined;
    folders: boolean;
    limit: number;
    signal: AbortSignal;
  }): AsyncIterable<NativePage>;
  /** The key of an object with a hashed name; undefined when it is gone. */
  keyOf(name: string, signal: AbortSignal): Promise<string | undefined>;
}

/** What of `after` lies in the folder itself: a store may list a folder by its own entries only. */
export const firstLevel = (prefix: string, after: string): string =>
  prefix + (after.slice(prefix.length).split('/')[0] ?? '');

/** One page of keys out of a store that lists names. */
export async function listByName(native: NativeListing, options: ListOptions): Promise<BlobPage> {
  const limit = options.limit ?? 1000;
  const found: Found[] = [];
  for await (const item of foundBy(native, options)) {
    found.push(item);
    if (found.length > limit) break;
  }
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    blobs: shown.flatMap(({ entry }) => entry ?? []),
    prefixes: shown.flatMap(({ text, entry }) => (entry === undefined ? text : [])),
    ...(found.length > limit && last !== undefined ? { next: last.text } : {}),
  };
}

interface Found {
  /** A key, or what several start with. */
  readonly text: string;
  readonly entry?: BlobEntry;
}

async function* foundBy(native: NativeListing, options: ListOptions): AsyncGenerator<Found> {
  const { prefix, after, delimiter } = options;
  const begin = { prefix: hashedGroupOf(prefix) ?? namePrefixOf(prefix), after: afterName(after) };
  let told: string | undefined;
  for await (const found of walk(native, options, begin)) {
    if (!found.text.startsWith(prefix)) continue;
    const at =
      delimiter === undefined || delimiter === '' ? -1 : found.text.indexOf(delimiter, prefix.length);
    const text = at === -1 ? found.text : found.text.slice(0, at + (delimiter ?? '').length);
    if (after !== undefined && compareKeys(text, after) <= 0) continue;
    if (at === -1) yield found;
    else if (text !== told) yield { text };
    told = text;
  }
}

/** A key that comes after has a name that comes after this. */
const afterName = (after: string | undefined) =>
  after === undefined
    ? undefined
    : hashedGroupOf(after) === undefined
      ? `${namePrefixOf(after)}!`
      : namePrefixOf(after);

async function* walk(
  native: NativeListing,
  options: ListOptions,
  { prefix, after }: { prefix: string; after: string | undefined },
): AsyncGenerator<Found> {
  const { signal, delimiter, limit = 1000 } = options;
  let group: { name: string; items: NativeItem[] } | undefined;
  for await (const page of native.pages({
    prefix,
    after,
    folders: delimiter === '/',
    limit: limit + 1,
    signal,
  })) {
    for (const item of inOrder(page)) {
      const name = typeof item === 'string' ? item : item.name;
      const read = typeof item === 'string' ? undefined : readName(name);
      const groupName = read !== undefined && 'hashed' in read ? name.slice(0, -64) : undefined;
      if (group !== undefined && group.name !== groupName) {
        yield* resolve(native, group.items, signal);
        group = undefined;
      }
      if (typeof item === 'string') {
        const folder = readFolder(item);
        if (folder !== undefined) yield { text: folder };
        // The middle of a long segment: its keys go on in there.
        else yield* walk(native, options, { prefix: item, after });
      } else if (groupName !== undefined) {
        group ??= { name: groupName, items: [] };
        group.items.push(item);
      } else if (read !== undefined && 'key' in read) yield foundOf(read.key, item);
    }
  }
  if (group !== undefined) yield* resolve(native, group.items, signal);
}

const inOrder = ({ items, folders }: NativePage): (NativeItem | string)[] => {
  if (folders.length === 0) return [...items];
  const nameOf = (item: NativeItem | string) => (typeof item === 'string' ? item : item.name);
  return [...items, ...folders].sort((a, b) => compareKeys(nameOf(a), nameOf(b)));
};

const foundOf = (key: string, { size, etag, modifiedAt }: NativeItem): Found => ({
  text: key,
  entry: { key, size, etag, modifiedAt },
});

/** Names of one group differ in a hash only: their order is that of the keys, which the objects say. */
async function* resolve(
  native: NativeListing,
  items: readonly NativeItem[],
  signal: AbortSignal,
): AsyncGenerator<Found> {
  const found: Found[] = [];
  for (const item of items) {
    const key = item.key ?? (await native.keyOf(item.name, signal));
    if (key !== undefined) found.push(foundOf(key, item));
  }
  yield* found.sort((a, b) => compareKeys(a.text, b.text));
}

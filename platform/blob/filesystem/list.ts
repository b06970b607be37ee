import { compareKeys } from '../key.ts';
import type { BlobEntry, BlobPage, ListOptions } from '../port.ts';
import type { Folders } from './folders.ts';
import { placeOf } from './key-path.ts';
import { holdsKeys, type WalkItem, walk } from './listing.ts';
import { readRecord } from './read-record.ts';
import { entryOf } from './record.ts';

/** Records read at once. */
const width = 32;

export async function listBlobs(folders: Folders, options: ListOptions): Promise<BlobPage> {
  const limit = options.limit ?? 1000;
  const page: (BlobEntry | string)[] = [];
  const items = entriesOf(folders, options);
  for (let ended = false; !ended && page.length <= limit; ) {
    options.signal.throwIfAborted();
    const next: WalkItem[] = [];
    while (next.length < Math.min(width, limit + 1 - page.length)) {
      const item = await items.next();
      ended = item.done === true;
      if (item.done === true) break;
      next.push(item.value);
    }
    // Deleted since its folder was read.
    for (const found of await Promise.all(next.map((item) => lookUp(folders, item))))
      if (found !== undefined) page.push(found);
  }
  await items.return(undefined);
  const shown = page.slice(0, limit);
  const last = shown.at(-1);
  return {
    blobs: shown.filter((entry) => typeof entry !== 'string'),
    prefixes: shown.filter((entry) => typeof entry === 'string'),
    ...(page.length > limit && last !== undefined
      ? { next: typeof last === 'string' ? last : last.key }
      : {}),
  };
}

async function lookUp(folders: Folders, item: WalkItem): Promise<BlobEntry | string | undefined> {
  if (item.folder === undefined) {
    const record = await readRecord(folders.disk, placeOf(folders.objects, item.text));
    return record === undefined ? undefined : entryOf(record);
  }
  return item.folder === '' || (await holdsKeys(item.folder)) ? item.text : undefined;
}

async function* entriesOf(folders: Folders, options: ListOptions): AsyncGenerator<WalkItem> {
  const { prefix, after, delimiter } = options;
  const items = walk(folders.objects, folders.names, { prefix, after, foldersOnly: delimiter === '/' });
  if (delimiter === undefined || delimiter === '' || delimiter === '/') yield* items;
  else yield* grouped(items, prefix, after, delimiter);
}

/** Any other delimiter has no folders to go by. */
async function* grouped(
  items: AsyncGenerator<WalkItem>,
  prefix: string,
  after: string | undefined,
  delimiter: string,
): AsyncGenerator<WalkItem> {
  let told: string | undefined;
  for await (const item of items) {
    const at = item.text.indexOf(delimiter, prefix.length);
    if (at === -1) {
      yield item;
      continue;
    }
    const text = item.text.slice(0, at + delimiter.length);
    if (text === told) continue;
    told = text;
    if (after === undefined || compareKeys(text, after) > 0) yield { text, folder: '' };
  }
}

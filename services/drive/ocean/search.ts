import { sideBySide } from '@haic/kit/side-by-side.ts';
import type { Bucket } from '../model.ts';
import type { ObjectService } from '../service.ts';
import type { UsageStore } from '../usage/store.ts';
import { ifGone } from './api-error.ts';
import type { FolderEntry, FolderPage, FolderWish } from './listing.ts';
import { isFolder } from './model.ts';

/** So long is looked for names, and so long at what has them, before what was found is told. */
const patience = 1000;
const namesAtOnce = 2000;
/** Of those that are looked at in the store between two looks at the clock. */
const lookedAtAtOnce = 64;

export interface SearchParts {
  readonly objects: Pick<ObjectService, 'head'>;
  readonly usage: Pick<UsageStore, 'entriesIn'>;
}

export interface SearchWish extends FolderWish {
  /** Part of the name, in any case. */
  readonly query: string;
}

/**
 * What is directly in a folder and has this in its name, in byte order. A store can be asked for names page by page only, and so the account is: it
 * has a row for each object. A page that has taken long ends early, with what was found so far or nothing.
 */
export async function searchFolder(
  parts: SearchParts,
  bucket: Bucket,
  wanted: SearchWish,
  patienceMs = patience,
): Promise<FolderPage> {
  const { names, next } = await findNames(parts, bucket, wanted, patienceMs);
  const until = performance.now() + patienceMs;
  const entries: FolderEntry[] = [];
  for (let at = 0; at < names.length; at += lookedAtAtOnce) {
    const some = names.slice(at, at + lookedAtAtOnce);
    const found = await sideBySide(some, (name) => lookAt(parts, bucket, name, wanted.signal));
    entries.push(...found.filter((entry) => entry !== undefined));
    if (performance.now() >= until && at + some.length < names.length) return { entries, next: some.at(-1) };
  }
  return { entries, next };
}

async function findNames(
  { usage }: SearchParts,
  bucket: Bucket,
  { prefix, query, limit, signal, ...wanted }: SearchWish,
  patienceMs: number,
): Promise<{ readonly names: readonly string[]; readonly next: string | undefined }> {
  const until = performance.now() + patienceMs;
  const text = query.toLowerCase();
  const isNamed = (entry: string) =>
    entry
      .slice(prefix.length, isFolder(entry) ? -1 : undefined)
      .toLowerCase()
      .includes(text);
  const names: string[] = [];
  let { after } = wanted;
  do {
    signal.throwIfAborted();
    const page = await usage.entriesIn(bucket.prefix, prefix, after, namesAtOnce);
    names.push(...page.filter(isNamed));
    if (names.length > limit) return { names: names.slice(0, limit), next: names[limit - 1] };
    after = page.length < namesAtOnce ? undefined : page.at(-1);
  } while (after !== undefined && performance.now() < until);
  return { names, next: after };
}

/** Undefined when it is gone: the account follows a moment later. */
async function lookAt(
  { objects }: SearchParts,
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<FolderEntry | undefined> {
  if (isFolder(key)) return { key, object: undefined };
  const info = await objects.head(bucket, key, { signal }).catch(ifGone);
  return info && { key, object: { size: info.size, modifiedAt: info.modifiedAt, etag: info.etag } };
}

import type { Bucket } from '../model.ts';
import type { ObjectService } from '../service.ts';

export interface FolderEntry {
  readonly key: string;
  /** Undefined of a folder. */
  readonly object: { readonly size: number; readonly modifiedAt: Date; readonly etag: string } | undefined;
}

/** Of a filtered list so many entries are looked at for one answer; the next one goes on from there. */
const mostLookedAt = 20_000;

/** What is directly in a folder, by name in byte order: folders and objects among each other. */
export async function listFolder(
  objects: ObjectService,
  bucket: Bucket,
  wanted: {
    readonly prefix: string;
    /** Part of the name, in any case. */
    readonly query: string;
    readonly after: string | undefined;
    readonly limit: number;
    readonly signal: AbortSignal;
  },
): Promise<{ entries: readonly FolderEntry[]; next: string | undefined }> {
  const { prefix, limit, signal } = wanted;
  const query = wanted.query.toLowerCase();
  const entries: FolderEntry[] = [];
  let { after } = wanted;
  let lookedAt = 0;
  do {
    const page = await objects.list(bucket, {
      prefix,
      delimiter: '/',
      // Filtered, most of what is looked at is not shown.
      limit: query === '' ? limit - entries.length : 1000,
      signal,
      ...(after === undefined ? {} : { after }),
    });
    const found = merged(page.objects, page.prefixes).filter(
      // A folder's own marker is the folder that one is in.
      ({ key }) => key !== prefix && key.slice(prefix.length).toLowerCase().includes(query),
    );
    const fitting = found.slice(0, limit - entries.length);
    entries.push(...fitting);
    lookedAt += page.objects.length + page.prefixes.length;
    after = fitting.length < found.length ? fitting.at(-1)?.key : page.next;
  } while (after !== undefined && entries.length < limit && lookedAt < mostLookedAt);
  return { entries, next: after };
}

function merged(
  objects: readonly {
    readonly key: string;
    readonly size: number;
    readonly modifiedAt: Date;
    readonly etag: string;
  }[],
  prefixes: readonly string[],
): FolderEntry[] {
  const entries: FolderEntry[] = [
    ...objects.map(({ key, size, modifiedAt, etag }) => ({ key, object: { size, modifiedAt, etag } })),
    ...prefixes.map((key) => ({ key, object: undefined })),
  ];
  return prefixes.length === 0
    ? entries
    : entries.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
}

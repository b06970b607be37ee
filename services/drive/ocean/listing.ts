import type { Bucket } from '../model.ts';
import type { ObjectService } from '../service.ts';

export interface FolderEntry {
  readonly key: string;
  /** Undefined of a folder. */
  readonly object: { readonly size: number; readonly modifiedAt: Date; readonly etag: string } | undefined;
}

export interface FolderPage {
  readonly entries: readonly FolderEntry[];
  /** `after` of the next page; undefined when this is the last. */
  readonly next: string | undefined;
}

/** Which page of a folder. */
export interface FolderWish {
  /** The folder: empty, or with a slash at its end. */
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** What is directly in a folder, by name in byte order: folders and objects among each other. */
export async function listFolder(
  objects: Pick<ObjectService, 'list'>,
  bucket: Bucket,
  wanted: FolderWish,
): Promise<FolderPage> {
  const { prefix, limit, signal } = wanted;
  const entries: FolderEntry[] = [];
  let { after } = wanted;
  do {
    const page = await objects.list(bucket, {
      prefix,
      delimiter: '/',
      limit: limit - entries.length,
      signal,
      ...(after === undefined ? {} : { after }),
    });
    // A folder's own marker is the folder that one is in.
    entries.push(...merged(page.objects, page.prefixes).filter(({ key }) => key !== prefix));
    after = page.next;
  } while (after !== undefined && entries.length < limit);
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

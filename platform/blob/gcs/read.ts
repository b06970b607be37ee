import type { Readable } from 'node:stream';
import { infoOf } from '../cloud/attributes.ts';
import { blobChanged, checkRange, rangeNotSatisfiable } from '../errors.ts';
import type { BlobInfo, ByteRange } from '../port.ts';
import {
  asked,
  conditionErrorOf,
  conditionFor,
  type GcsRoom,
  isMissing,
  nameAt,
  objectPath,
  statusOf,
  undefinedIfMissing,
} from './room.ts';

/** By the XML API: it tells content and attributes in one answer, of one and the same generation. */
export async function getBlob(
  room: GcsRoom,
  key: string,
  { range, signal }: { range?: ByteRange; signal: AbortSignal },
): Promise<{ info: BlobInfo; content: Readable } | undefined> {
  const path = `/${room.bucket}/${nameAt(room, key).split('/').map(encodeURIComponent).join('/')}`;
  signal.throwIfAborted();
  // Ranges that are none would be ignored by a store.
  const checked = checkRange(key, Number.MAX_SAFE_INTEGER, range);
  const headers = {
    // A content is not compressed on its way: lengths and ranges are those of what is kept.
    'accept-encoding': 'identity',
    ...(checked === undefined ? {} : { range: `bytes=${checked.start}-${range?.end ?? ''}` }),
  };
  const told = await asked(
    room.forContent({ method: 'GET', path, headers, signal }).catch((error: unknown) => {
      if (statusOf(error) === 416) throw rangeNotSatisfiable(key);
      return undefinedIfMissing(error);
    }),
    signal,
  );
  if (told === undefined) return undefined;
  // Given up before anybody reads it, it would end the process.
  told.content.on('error', () => undefined);
  return { info: infoFrom(key, told.headers), content: told.content };
}

function infoFrom(key: string, headers: Headers): BlobInfo {
  const metadata: Record<string, string> = {};
  for (const [name, value] of headers)
    if (name.startsWith('x-goog-meta-')) metadata[name.slice('x-goog-meta-'.length)] = value;
  const md5 = /\bmd5=([\w+/]+=*)/.exec(headers.get('x-goog-hash') ?? '')?.[1];
  const total = /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] ?? headers.get('content-length');
  const modified = headers.get('last-modified');
  const told = {
    metadata,
    contentMD5: md5 === undefined ? undefined : Buffer.from(md5, 'base64'),
    etag: headers.get('etag') ?? undefined,
    lastModified: modified === null ? undefined : new Date(modified),
  };
  return infoOf(key, told, Number(total));
}

export async function deleteBlob(
  room: GcsRoom,
  key: string,
  { ifMatch, signal }: { ifMatch?: string; signal: AbortSignal },
): Promise<void> {
  const path = objectPath(room, nameAt(room, key));
  signal.throwIfAborted();
  const condition = ifMatch === undefined ? {} : { ifMatch };
  const query = await conditionFor(room, key, condition, signal);
  await asked(
    room.forJson({ method: 'DELETE', path, query, signal }).catch((error: unknown) => {
      if (!isMissing(error)) throw conditionErrorOf(error, key, condition);
      // Deleted by somebody else since it was looked at.
      if (ifMatch !== undefined) throw blobChanged(key);
    }),
    signal,
  );
}

import type { Readable } from 'node:stream';
import { unpackMetadata } from '../cloud/metadata.ts';
import { blobChanged, checkRange, rangeNotSatisfiable } from '../errors.ts';
import type { BlobInfo, ByteRange } from '../port.ts';
import {
  asked,
  at,
  defaultContentType,
  failureOf,
  isCondition,
  isMissing,
  plainEtag,
  type S3Room,
} from './room.ts';

interface Told {
  readonly ContentLength?: number | undefined;
  readonly ContentType?: string | undefined;
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly Metadata?: Record<string, string> | undefined;
}

export const infoOf = (key: string, told: Told, size = told.ContentLength ?? 0): BlobInfo => ({
  key,
  size,
  contentType: told.ContentType ?? defaultContentType,
  etag: plainEtag(told.ETag),
  modifiedAt: told.LastModified ?? new Date(),
  metadata: unpackMetadata(told.Metadata),
});

export async function headBlob(
  room: S3Room,
  key: string,
  signal: AbortSignal,
): Promise<BlobInfo | undefined> {
  const target = at(room, key);
  signal.throwIfAborted();
  const head = new room.sdk.HeadObjectCommand(target);
  const told = await asked(
    room.client.send(head, { abortSignal: signal }).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    }),
    signal,
  );
  return told === undefined ? undefined : infoOf(key, told);
}

export async function getBlob(
  room: S3Room,
  key: string,
  { range, signal }: { range?: ByteRange; signal: AbortSignal },
): Promise<{ info: BlobInfo; content: Readable } | undefined> {
  const target = at(room, key);
  signal.throwIfAborted();
  // Ranges that are none would be ignored by a store.
  const checked = checkRange(key, Number.MAX_SAFE_INTEGER, range);
  const Range = checked === undefined ? undefined : `bytes=${checked.start}-${range?.end ?? ''}`;
  const get = new room.sdk.GetObjectCommand({ ...target, ...(Range === undefined ? {} : { Range }) });
  const told = await asked(
    room.client.send(get, { abortSignal: signal }).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      if (failureOf(error)?.status === 416) throw rangeNotSatisfiable(key);
      throw error;
    }),
    signal,
  );
  if (told === undefined) return undefined;
  const total = /\/(\d+)$/.exec(told.ContentRange ?? '')?.[1];
  return {
    info: infoOf(key, told, total === undefined ? told.ContentLength : Number(total)),
    content: told.Body as Readable,
  };
}

export async function deleteBlob(
  room: S3Room,
  key: string,
  { ifMatch, signal }: { ifMatch?: string; signal: AbortSignal },
): Promise<void> {
  const target = at(room, key);
  signal.throwIfAborted();
  const remove = async () => {
    const command = new room.sdk.DeleteObjectCommand(target);
    await asked(
      room.client.send(command, { abortSignal: signal }).catch((error: unknown) => {
        if (isCondition(error)) throw blobChanged(key);
        if (!isMissing(error)) throw error;
      }),
      signal,
    );
  };
  if (ifMatch === undefined) return remove();
  await room.lockKey(key, async () => {
    if ((await headBlob(room, key, signal))?.etag !== ifMatch) throw blobChanged(key);
    await remove();
  });
}

import { conflict, HaicError, invalid } from '@haic/kit/errors.ts';
import type { BlobPart, BlobUpload } from '@haic/platform/blob/port.ts';
import type { Bucket } from '../model.ts';
import type { ObjectService, UploadOf } from '../service.ts';
import { ifGone, objectExists } from './api-error.ts';
import { anotherName, bounds, type Collision } from './model.ts';

/** A file of somebody's machine. */
export interface LocalFile {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since the epoch, as the browser knows it. With name and size it tells whether it is the same file again. */
  readonly modifiedAt: number;
  readonly contentType: string | undefined;
}

export type BegunUpload =
  | { readonly kind: 'WHOLE'; readonly key: string }
  | {
      readonly kind: 'PARTS';
      readonly key: string;
      readonly uploadId: string;
      readonly partBytes: number;
      /** Sent already, by an upload of the same file that was broken off. */
      readonly parts: readonly BlobPart[];
    };

/** What the page notes of a file in its upload; the S3 front gives out neither. */
const noted = { size: 'o-size', modifiedAt: 'o-modified' } as const;

export const partBytesOf = (size: number): number => {
  const mebibyte = 1024 ** 2;
  return Math.max(bounds.partBytes, Math.ceil(size / bounds.parts / mebibyte) * mebibyte);
};

export async function beginUpload(
  objects: ObjectService,
  bucket: Bucket,
  file: LocalFile,
  options: { readonly collision: Collision; readonly signal: AbortSignal },
): Promise<BegunUpload> {
  const { collision, signal } = options;
  const key = await freeKey(objects, bucket, file.key, collision, signal);
  if (file.size <= bounds.wholeBytes) return { kind: 'WHOLE', key };
  const partBytes = partBytesOf(file.size);
  const open = await findOpen(objects, bucket, { ...file, key }, signal);
  if (open !== undefined) return { kind: 'PARTS', key, partBytes, ...open };
  const { uploadId } = await objects.createUpload(bucket, key, {
    signal,
    metadata: { [noted.size]: String(file.size), [noted.modifiedAt]: String(file.modifiedAt) },
    ...(file.contentType === undefined ? {} : { contentType: file.contentType }),
  });
  return { kind: 'PARTS', key, partBytes, uploadId, parts: [] };
}

async function freeKey(
  objects: ObjectService,
  bucket: Bucket,
  wanted: string,
  collision: Collision,
  signal: AbortSignal,
): Promise<string> {
  if (collision === 'REPLACE') return wanted;
  for (let count = 0; count < 1000; count += 1) {
    const key = count === 0 ? wanted : anotherName(wanted, count);
    if (!(await isThere(objects, bucket, key, signal))) return key;
    if (collision === 'FAIL') break;
  }
  throw objectExists(wanted);
}

const isThere = (objects: ObjectService, bucket: Bucket, key: string, signal: AbortSignal) =>
  objects.head(bucket, key, { signal }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof HaicError && error.code === 'NoSuchKey') return false;
      throw error;
    },
  );

/** An upload of the very same file that is neither completed nor given up. */
async function findOpen(
  objects: ObjectService,
  bucket: Bucket,
  file: LocalFile,
  signal: AbortSignal,
): Promise<{ uploadId: string; parts: readonly BlobPart[] } | undefined> {
  const { uploads } = await objects.listUploads(bucket, { prefix: file.key, limit: 100, signal });
  for (const { key, uploadId } of uploads) {
    if (key !== file.key) continue;
    const found = await allParts(objects, { bucket, key, uploadId }, signal).catch(ifGone);
    if (
      found?.upload.metadata[noted.size] === String(file.size) &&
      found.upload.metadata[noted.modifiedAt] === String(file.modifiedAt)
    )
      return { uploadId, parts: found.parts };
  }
  return undefined;
}

/** At most 10,000. */
export async function allParts(
  objects: ObjectService,
  upload: UploadOf,
  signal: AbortSignal,
): Promise<{ upload: BlobUpload; parts: readonly BlobPart[] }> {
  const parts: BlobPart[] = [];
  for (;;) {
    const after = parts.at(-1)?.partNumber;
    const page = await objects.listParts(upload, {
      limit: 1000,
      signal,
      ...(after === undefined ? {} : { after }),
    });
    parts.push(...page.parts);
    if (!page.more || page.parts.length === 0) return { upload: page.upload, parts };
  }
}

/** Of all parts that are there, if they are as much as was announced. */
export async function completeUpload(
  objects: ObjectService,
  upload: UploadOf,
  options: { readonly collision: Collision; readonly signal: AbortSignal },
): Promise<void> {
  const { signal, collision } = options;
  const { upload: begun, parts } = await allParts(objects, upload, signal);
  const size = begun.metadata[noted.size];
  if (size === undefined)
    throw invalid('foreign_upload', 'This upload was begun by another program; it has to complete it.');
  const arrived = parts.reduce((sum, part) => sum + part.size, 0);
  if (arrived !== Number(size))
    throw conflict(
      'upload_incomplete',
      `Of ${size} bytes ${arrived} are there. Send the parts that are missing, and complete it then.`,
    );
  await objects
    .completeUpload(upload, parts, { signal, ...(collision === 'REPLACE' ? {} : { ifAbsent: true }) })
    .catch((error: unknown) => {
      throw error instanceof HaicError && error.code === 'blob_exists' ? objectExists(upload.key) : error;
    });
}

import type { Readable } from 'node:stream';
import { HaicError } from '@haic/kit/errors.ts';
import { checkedContent, failureOfSending, sendStream } from '../cloud/checked-content.ts';
import { spooled } from '../cloud/spooled.ts';
import {
  checkPartNumber,
  checkPartOrder,
  invalidPart,
  invalidPartOrder,
  noSuchUpload,
  partTooSmall,
} from '../errors.ts';
import type {
  BlobInfo,
  BlobPart,
  BlobStore,
  BlobUpload,
  ContentOptions,
  UploadOptions,
  UploadRef,
  WriteCondition,
} from '../port.ts';
import { etagOfParts, pageOfUploads } from '../upload-order.ts';
import { withCondition } from './put.ts';
import { headBlob } from './read.ts';
import {
  asked,
  at,
  attributesFor,
  conditionFor,
  defaultContentType,
  failureOf,
  fromS3Error,
  plainEtag,
  type S3Room,
} from './room.ts';
import { readNote, readNotes, removeNote, writeNote } from './upload-notes.ts';

export async function createUpload(room: S3Room, key: string, options: UploadOptions): Promise<BlobUpload> {
  const target = at(room, key);
  const { signal } = options;
  const command = new room.sdk.CreateMultipartUploadCommand({ ...target, ...attributesFor(key, options) });
  const { UploadId = '' } = await asked(room.client.send(command, { abortSignal: signal }), signal);
  const { contentType = defaultContentType, metadata = {} } = options;
  const upload = { key, uploadId: UploadId, contentType, metadata, startedAt: new Date() };
  await writeNote(room, upload, signal);
  return upload;
}

/** Where an upload is; `no_such_upload` (404) for an id that none can have, which some stores would take for a path. */
function ofUpload(room: S3Room, { key, uploadId }: UploadRef) {
  if (!/^[\w.~-]{1,1024}$/.test(uploadId) || /^\.+$/.test(uploadId)) throw noSuchUpload(uploadId);
  return { ...at(room, key), UploadId: uploadId };
}

async function askedOfUpload<T>(work: Promise<T>, upload: UploadRef, signal: AbortSignal): Promise<T> {
  return asked(
    work.catch((error: unknown) => {
      throw uploadError(error, upload);
    }),
    signal,
  );
}

function uploadError(error: unknown, upload: UploadRef): unknown {
  const failure = failureOf(error);
  if (failure?.name === 'NoSuchUpload' || (failure?.status === 404 && failure.name !== 'NoSuchBucket'))
    return noSuchUpload(upload.uploadId);
  if (failure?.name === 'InvalidPart') return invalidPart();
  if (failure?.name === 'InvalidPartOrder') return invalidPartOrder();
  if (failure?.name === 'EntityTooSmall') return partTooSmall();
  return error;
}

export async function putPart(
  room: S3Room,
  upload: UploadRef,
  partNumber: number,
  content: Readable,
  options: ContentOptions,
): Promise<BlobPart> {
  try {
    checkPartNumber(partNumber);
    const target = ofUpload(room, upload);
    options.signal.throwIfAborted();
    if (options.size === undefined)
      return await spooled(content, upload.key, options, (file, size) =>
        putPart(room, upload, partNumber, file, { ...options, size }),
      );
    const size = options.size;
    const pieces = checkedContent(content, upload.key, options, { md5: false, tell: () => undefined });
    const told = await sendStream(content, pieces, options.signal, (body, signal) => {
      const part = { ...target, PartNumber: partNumber, Body: size === 0 ? '' : body, ContentLength: size };
      return room.client.send(new room.sdk.UploadPartCommand(part), { abortSignal: signal });
    });
    return { partNumber, size, etag: plainEtag(told.ETag), modifiedAt: new Date() };
  } catch (error) {
    content.destroy();
    if (options.signal.aborted) throw options.signal.reason;
    throw failureOfSending(error, (failed) => fromS3Error(uploadError(failed, upload)));
  }
}

export const listParts = async (
  room: S3Room,
  upload: UploadRef,
  { after, limit = 1000, signal }: Parameters<BlobStore['listParts']>[1],
): ReturnType<BlobStore['listParts']> => {
  const target = ofUpload(room, upload);
  signal.throwIfAborted();
  const parts: BlobPart[] = [];
  let marker = after === undefined ? undefined : String(after);
  for (let more = true; more; ) {
    const page = {
      ...target,
      MaxParts: Math.min(1000, limit + 1),
      ...(marker && { PartNumberMarker: marker }),
    };
    const command = new room.sdk.ListPartsCommand(page);
    const told = await askedOfUpload(room.client.send(command, { abortSignal: signal }), upload, signal);
    for (const part of told.Parts ?? [])
      parts.push({
        partNumber: part.PartNumber ?? 0,
        size: part.Size ?? 0,
        etag: plainEtag(part.ETag),
        modifiedAt: part.LastModified ?? new Date(0),
      });
    marker = told.NextPartNumberMarker;
    more = told.IsTruncated === true && parts.length <= limit && marker !== undefined;
  }
  const noted = await readNote(room, upload, signal);
  const known = noted ?? { ...upload, contentType: defaultContentType, metadata: {}, startedAt: new Date(0) };
  return { upload: known, parts: parts.slice(0, limit), more: parts.length > limit };
};

export const listUploads = async (
  room: S3Room,
  asking: Parameters<BlobStore['listUploads']>[0],
): ReturnType<BlobStore['listUploads']> => {
  return pageOfUploads(await readNotes(room, asking.signal), asking);
};

export async function completeUpload(
  room: S3Room,
  upload: UploadRef,
  parts: readonly { partNumber: number; etag: string }[],
  options: WriteCondition & { signal: AbortSignal },
): Promise<BlobInfo> {
  checkPartOrder(parts);
  const target = ofUpload(room, upload);
  const { signal } = options;
  const { key } = upload;
  const etag = etagOfParts(parts);
  try {
    return await withCondition(room, key, options, async () => {
      const Parts = parts.map((part) => ({ PartNumber: part.partNumber, ETag: `"${part.etag}"` }));
      const command = { ...target, ...conditionFor(options), MultipartUpload: { Parts } };
      const complete = new room.sdk.CompleteMultipartUploadCommand(command);
      const told = await room.client.send(complete, { abortSignal: signal });
      return completed(room, upload, plainEtag(told.ETag), signal);
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const failure = uploadError(error, upload);
    if (!(failure instanceof HaicError && failure.code === 'no_such_upload')) throw fromS3Error(failure);
    // The answer to the first completion may have got lost.
    const info = await headBlob(room, key, signal);
    if (info?.etag !== etag) throw failure;
    return info;
  }
}

/** A store may call an upload completed that was so long ago, whatever has become of the blob since: its note is gone then. */
async function completed(
  room: S3Room,
  upload: UploadRef,
  etag: string,
  signal: AbortSignal,
): Promise<BlobInfo> {
  const info = await headBlob(room, upload.key, signal);
  if (info?.etag === etag) {
    await removeNote(room, upload, signal);
    return info;
  }
  const note = await readNote(room, upload, signal);
  if (note === undefined || info === undefined) throw noSuchUpload(upload.uploadId);
  await removeNote(room, upload, signal);
  return { ...info, etag };
}

export async function abortUpload(
  room: S3Room,
  upload: UploadRef,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const target = ofUpload(room, upload);
  signal.throwIfAborted();
  const command = new room.sdk.AbortMultipartUploadCommand(target);
  // One that the store has forgotten by a rule of its own leaves its note behind.
  await askedOfUpload(room.client.send(command, { abortSignal: signal }), upload, signal).finally(() =>
    removeNote(room, upload, signal),
  );
}

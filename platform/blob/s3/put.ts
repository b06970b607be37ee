import type { Readable } from 'node:stream';
import {
  checkedContent,
  failureOfSending,
  inBlocks,
  type Sums,
  sendStream,
} from '../cloud/checked-content.ts';
import { blobChanged, blobExists } from '../errors.ts';
import type { BlobInfo, PutOptions, WriteCondition } from '../port.ts';
import { headBlob, infoOf } from './read.ts';
import {
  asked,
  at,
  attributesFor,
  conditionError,
  conditionFor,
  fromS3Error,
  isCondition,
  isMissing,
  type S3Room,
} from './room.ts';

/** What S3 takes in one go. */
const mostAtOnce = 5 * 1024 ** 3;
/** Of a content whose size is not known: held one at a time. Larger ones later on, so that ten thousand suffice for terabytes. */
const blockSize = (block: number) => (block < 500 ? 8 : block < 2_000 ? 32 : 128) * 1024 ** 2;

export async function putBlob(
  room: S3Room,
  key: string,
  content: Readable,
  options: PutOptions,
): Promise<BlobInfo> {
  try {
    at(room, key);
    options.signal.throwIfAborted();
    return await withCondition(room, key, options, () => send(room, key, content, options));
  } catch (error) {
    content.destroy();
    throw options.signal.aborted ? options.signal.reason : failureOfSending(error, fromS3Error);
  }
}

/**
 * Refuses before the content is read what can be refused then. The store checks again, atomically; one that does not know `If-Match`
 * is made up for among the writers of this process.
 */
export async function withCondition<T>(
  room: S3Room,
  key: string,
  condition: WriteCondition & { signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  if (!condition.ifAbsent && condition.ifMatch === undefined) return work();
  const checked = async () => {
    const head = await headBlob(room, key, condition.signal);
    if (condition.ifAbsent && head !== undefined) throw blobExists(key);
    if (condition.ifMatch !== undefined && head?.etag !== condition.ifMatch) throw blobChanged(key);
    try {
      return await work();
    } catch (error) {
      throw isCondition(error) || (condition.ifMatch !== undefined && isMissing(error))
        ? conditionError(key, condition)
        : error;
    }
  };
  return room.lockKey(key, checked);
}

function send(room: S3Room, key: string, content: Readable, options: PutOptions): Promise<BlobInfo> {
  let sums: Sums | undefined;
  const pieces = checkedContent(content, key, options, { md5: false, tell: (told) => (sums = told) });
  const whole = options.size !== undefined && options.size > 0 && options.size <= mostAtOnce;
  return sendStream(content, pieces, options.signal, async (body, signal) => {
    if (whole) return putWhole(room, key, body, options.size ?? 0, options, signal);
    return putBlocks(room, key, body, options, signal, () => sums?.size ?? 0);
  });
}

async function putWhole(
  room: S3Room,
  key: string,
  body: Readable | Buffer,
  size: number,
  options: PutOptions,
  signal: AbortSignal,
): Promise<BlobInfo> {
  const command = new room.sdk.PutObjectCommand({
    ...at(room, key),
    ...attributesFor(key, options),
    ...conditionFor(options),
    Body: body,
    ContentLength: size,
  });
  const told = await room.client.send(command, { abortSignal: signal });
  return madeOf(key, size, told.ETag, options);
}

export const madeOf = (
  key: string,
  size: number,
  etag: string | undefined,
  options: PutOptions,
): BlobInfo => ({
  ...infoOf(key, { ContentLength: size, ETag: etag, ContentType: options.contentType }),
  metadata: options.metadata ?? {},
});

/** S3 wants to know each length beforehand. */
async function putBlocks(
  room: S3Room,
  key: string,
  body: Readable,
  options: PutOptions,
  signal: AbortSignal,
  sizeSoFar: () => number,
): Promise<BlobInfo> {
  const target = at(room, key);
  let UploadId: string | undefined;
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  const sending = { abortSignal: signal };
  const { sdk, client } = room;
  try {
    for await (const block of inBlocks(body, blockSize)) {
      if (UploadId === undefined && block.length < blockSize(0) && body.readableEnded)
        return await putWhole(room, key, block, block.length, options, signal);
      const create = new sdk.CreateMultipartUploadCommand({ ...target, ...attributesFor(key, options) });
      UploadId ??= (await client.send(create, sending)).UploadId;
      const PartNumber = Parts.length + 1;
      const part = new sdk.UploadPartCommand({ ...target, UploadId, PartNumber, Body: block });
      Parts.push({ PartNumber, ETag: (await client.send(part, sending)).ETag });
    }
    const complete = new sdk.CompleteMultipartUploadCommand({
      ...target,
      ...conditionFor(options),
      UploadId,
      MultipartUpload: { Parts },
    });
    return madeOf(key, sizeSoFar(), (await client.send(complete, sending)).ETag, options);
  } catch (error) {
    if (UploadId !== undefined) {
      const abort = new sdk.AbortMultipartUploadCommand({ ...target, UploadId });
      await asked(client.send(abort), AbortSignal.timeout(30_000)).catch(() => undefined);
    }
    throw error;
  }
}

import { blobChanged } from '../errors.ts';
import type { BlobInfo, CopyOptions } from '../port.ts';
import { withCondition } from './put.ts';
import { headBlob } from './read.ts';
import { at, attributesFor, fromS3Error, isCondition, isMissing, plainEtag, type S3Room } from './room.ts';

/** What S3 copies in one go, and of more each part. */
const mostAtOnce = 5 * 1024 ** 3;
const partSize = 1024 ** 3;

export async function copyBlob(
  room: S3Room,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<BlobInfo | undefined> {
  const { signal } = options;
  at(room, target);
  const original = await headBlob(room, source, signal);
  if (original === undefined) return undefined;
  if (options.ifSourceMatch !== undefined && original.etag !== options.ifSourceMatch)
    throw blobChanged(source);
  try {
    return await withCondition(room, target, options, async () => {
      const etag = await (original.size <= mostAtOnce ? copyWhole : copyParts)(
        room,
        original,
        target,
        options,
      );
      const { contentType, metadata } = options.replace ?? original;
      return {
        key: target,
        size: original.size,
        etag: plainEtag(etag),
        modifiedAt: new Date(),
        contentType: contentType ?? 'application/octet-stream',
        metadata: metadata ?? {},
      };
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Replaced or deleted since it was looked at.
    if (isCondition(error)) throw blobChanged(source);
    if (isMissing(error)) return undefined;
    throw fromS3Error(error);
  }
}

const sourceOf = (room: S3Room, original: BlobInfo) => ({
  CopySource: `${room.bucket}/${at(room, original.key).Key.split('/').map(encodeURIComponent).join('/')}`,
  CopySourceIfMatch: `"${original.etag}"`,
});

async function copyWhole(room: S3Room, original: BlobInfo, target: string, options: CopyOptions) {
  const command = new room.sdk.CopyObjectCommand({
    ...at(room, target),
    ...sourceOf(room, original),
    MetadataDirective: 'REPLACE',
    ...attributesFor(target, options.replace ?? original),
  });
  return (await room.client.send(command, { abortSignal: options.signal })).CopyObjectResult?.ETag;
}

async function copyParts(room: S3Room, original: BlobInfo, target: string, options: CopyOptions) {
  const { sdk, client } = room;
  const sending = { abortSignal: options.signal };
  const to = at(room, target);
  const create = new sdk.CreateMultipartUploadCommand({
    ...to,
    ...attributesFor(target, options.replace ?? original),
  });
  const { UploadId } = await client.send(create, sending);
  try {
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let start = 0; start < original.size; start += partSize) {
      const PartNumber = Parts.length + 1;
      const CopySourceRange = `bytes=${start}-${Math.min(start + partSize, original.size) - 1}`;
      const part = { ...to, ...sourceOf(room, original), UploadId, PartNumber, CopySourceRange };
      const told = await client.send(new sdk.UploadPartCopyCommand(part), sending);
      Parts.push({ PartNumber, ETag: told.CopyPartResult?.ETag });
    }
    const complete = { ...to, UploadId, MultipartUpload: { Parts } };
    return (await client.send(new sdk.CompleteMultipartUploadCommand(complete), sending)).ETag;
  } catch (error) {
    await client.send(new sdk.AbortMultipartUploadCommand({ ...to, UploadId })).catch(() => undefined);
    throw error;
  }
}

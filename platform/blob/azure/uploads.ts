import type { Readable } from 'node:stream';
import { infoOf, metadataFor } from '../cloud/attributes.ts';
import { checkedContent, failureOfSending, type Sums, sendStream } from '../cloud/checked-content.ts';
import { spooled } from '../cloud/spooled.ts';
import { checkUploadId, newUpload, noteName, type UploadNote, uploadOf } from '../cloud/upload-note.ts';
import { blobTooLarge, checkPartNumber, checkPartOrder, noSuchUpload } from '../errors.ts';
import { newestParts, newPartStem, partNamed, readPartName, type StoredPart, stemOf } from '../part-names.ts';
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
import {
  chooseParts,
  completedBefore,
  etagOfParts,
  pageOfParts,
  pageOfUploads,
  partOf,
} from '../upload-order.ts';
import { once } from './put.ts';
import { startCopy } from './read.ts';
import {
  type AzureRoom,
  asked,
  blobOf,
  conditionErrorOf,
  conditionsFor,
  fromAzureError,
  headOf,
  isMissing,
  uploadsOf,
} from './room.ts';

/**
 * An upload is `uploads/<id>/`: `upload.json` (key, type, metadata), `content` (whose blocks are the parts) and `parts/`, an empty blob a part
 * whose name says its number, size and MD5, because Azure says them of no block. Completing it commits the blocks and copies the content
 * to its name, inside Azure; that is the moment at which the blob is seen.
 */

/** Azure's limit of a block, roughly. */
const largestPart = 4_000 * 1024 ** 2;

function roomOf(room: AzureRoom, uploadId: string) {
  checkUploadId(uploadId);
  const root = `${uploadsOf(room)}${uploadId}/`;
  return {
    root,
    note: room.container.getBlockBlobClient(root + noteName),
    content: room.container.getBlockBlobClient(`${root}content`),
    marker: (name: string) => room.container.getBlockBlobClient(`${root}parts/${name}`),
  };
}

export async function createUpload(
  room: AzureRoom,
  key: string,
  options: UploadOptions,
): Promise<BlobUpload> {
  const { signal } = options;
  blobOf(room, key);
  signal.throwIfAborted();
  const { upload, note: text } = newUpload(key, options);
  const { note } = roomOf(room, upload.uploadId);
  await asked(note.upload(text, Buffer.byteLength(text), { abortSignal: signal }), signal);
  return upload;
}

async function findUpload(
  room: AzureRoom,
  { key, uploadId }: UploadRef,
  signal: AbortSignal,
): Promise<BlobUpload | undefined> {
  blobOf(room, key);
  const upload = await noteOf(room, uploadId, signal);
  return upload?.key === key ? upload : undefined;
}

async function noteOf(
  room: AzureRoom,
  uploadId: string,
  signal: AbortSignal,
): Promise<BlobUpload | undefined> {
  const { note } = roomOf(room, uploadId);
  signal.throwIfAborted();
  const content = await asked(
    note.downloadToBuffer(0, undefined, { abortSignal: signal }).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    }),
    signal,
  );
  return content === undefined ? undefined : uploadOf(uploadId, JSON.parse(content.toString()) as UploadNote);
}

async function readUpload(room: AzureRoom, upload: UploadRef, signal: AbortSignal): Promise<BlobUpload> {
  const found = await findUpload(room, upload, signal);
  if (found === undefined) throw noSuchUpload(upload.uploadId);
  return found;
}

async function namesBelow(room: AzureRoom, root: string, signal: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  const listing = async () => {
    for await (const { name } of room.container.listBlobsFlat({ prefix: root, abortSignal: signal }))
      names.push(name.slice(root.length));
  };
  await asked(listing(), signal);
  return names;
}

const storedParts = async (room: AzureRoom, uploadId: string, signal: AbortSignal): Promise<StoredPart[]> =>
  (await namesBelow(room, `${roomOf(room, uploadId).root}parts/`, signal)).flatMap(
    (name) => readPartName(name) ?? [],
  );

export async function putPart(
  room: AzureRoom,
  upload: UploadRef,
  partNumber: number,
  content: Readable,
  options: ContentOptions,
): Promise<BlobPart> {
  const { signal, size } = options;
  try {
    checkPartNumber(partNumber);
    const { content: blob, marker } = roomOf(room, upload.uploadId);
    await readUpload(room, upload, signal);
    if (size === undefined)
      return await spooled(content, upload.key, options, (file, known) =>
        putPart(room, upload, partNumber, file, { ...options, size: known }),
      );
    if (size > largestPart) throw blobTooLarge(upload.key, largestPart);
    const stem = newPartStem(partNumber);
    let sums: Sums = { size: 0 };
    const pieces = checkedContent(content, upload.key, options, { md5: true, tell: (told) => (sums = told) });
    await sendStream(content, pieces, signal, async (body, abortSignal) => {
      // A block has at least one byte.
      if (size === 0) for await (const _ of body);
      else await blob.stageBlock(blockIdOf(stem), once(body), size, { abortSignal });
    });
    const part = partNamed(stem, { size, etag: sums.md5 ?? '' });
    await room.lockKey(upload.uploadId, async () => {
      await readUpload(room, upload, signal);
      await marker(part.file).upload('', 0, { abortSignal: signal });
      for (const other of await storedParts(room, upload.uploadId, signal))
        if (other.partNumber === partNumber && other.sequence < part.sequence)
          await marker(other.file).deleteIfExists({ abortSignal: signal });
    });
    return partOf(part);
  } catch (error) {
    content.destroy();
    throw signal.aborted ? signal.reason : failureOfSending(error, fromAzureError);
  }
}

const blockIdOf = (stem: string) => Buffer.from(stem).toString('base64');

export const listParts = async (
  room: AzureRoom,
  upload: UploadRef,
  asking: Parameters<BlobStore['listParts']>[1],
): ReturnType<BlobStore['listParts']> => {
  const found = await readUpload(room, upload, asking.signal);
  const parts = newestParts(await storedParts(room, upload.uploadId, asking.signal));
  return { upload: found, ...pageOfParts(parts.values(), asking) };
};

export const listUploads = async (
  room: AzureRoom,
  asking: Parameters<BlobStore['listUploads']>[0],
): ReturnType<BlobStore['listUploads']> => {
  const uploads: BlobUpload[] = [];
  for (const name of await namesBelow(room, uploadsOf(room), asking.signal)) {
    const uploadId = /^([0-9a-f]{32})\/upload\.json$/.exec(name)?.[1];
    if (uploadId === undefined) continue;
    const upload = await noteOf(room, uploadId, asking.signal);
    if (upload !== undefined) uploads.push(upload);
  }
  return pageOfUploads(uploads, asking);
};

export async function completeUpload(
  room: AzureRoom,
  upload: UploadRef,
  parts: readonly { partNumber: number; etag: string }[],
  options: WriteCondition & { signal: AbortSignal },
): Promise<BlobInfo> {
  const { signal } = options;
  const { key, uploadId } = upload;
  checkPartOrder(parts);
  return room.lockKey(uploadId, async () => {
    const found = await findUpload(room, upload, signal);
    if (found === undefined) return completedBefore((await headOf(room, key, signal))?.info, upload, parts);
    const chosen = chooseParts(parts, newestParts(await storedParts(room, uploadId, signal)));
    const conditions = await conditionsFor(room, key, options, signal);
    const { content } = roomOf(room, uploadId);
    const ids = chosen.filter(({ size }) => size > 0).map((part) => blockIdOf(stemOf(part)));
    const metadata = metadataFor(key, found, etagOfParts(chosen));
    try {
      await content.commitBlockList(ids, { metadata, abortSignal: signal });
      await startCopy(room, content.url, key, { metadata, conditions, abortSignal: signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw fromAzureError(conditionErrorOf(error, key, options));
    }
    await removeUpload(room, uploadId, signal);
    const size = chosen.reduce((sum, part) => sum + part.size, 0);
    return infoOf(key, { metadata }, size);
  });
}

export async function abortUpload(
  room: AzureRoom,
  upload: UploadRef,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  await room.lockKey(upload.uploadId, async () => {
    await readUpload(room, upload, signal);
    await removeUpload(room, upload.uploadId, signal);
  });
}

/** The note first: without it there is no upload any more, whatever of it is left. */
async function removeUpload(room: AzureRoom, uploadId: string, signal: AbortSignal): Promise<void> {
  const { root, note } = roomOf(room, uploadId);
  const remove = async () => {
    await note.deleteIfExists({ abortSignal: signal });
    for (const name of await namesBelow(room, root, signal))
      await room.container.getBlobClient(root + name).deleteIfExists({ abortSignal: signal });
  };
  await asked(remove(), signal);
}

import type { Readable } from 'node:stream';
import { sideBySide } from '@haic/kit/side-by-side.ts';
import { infoOf, metadataFor } from '../cloud/attributes.ts';
import { failureOfSending } from '../cloud/checked-content.ts';
import {
  checkUploadId,
  isUploadId,
  newUpload,
  noteName,
  type UploadNote,
  uploadOf,
} from '../cloud/upload-note.ts';
import { checkPartNumber, checkPartOrder, noSuchUpload } from '../errors.ts';
import { newestParts, newPartStem, numberInName, partNamed, type StoredPart, stemOf } from '../part-names.ts';
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
import { compose } from './compose.ts';
import { pagesOf } from './listing.ts';
import { sendObject } from './put.ts';
import {
  asked,
  conditionErrorOf,
  conditionFor,
  fromGcsError,
  type GcsObject,
  type GcsRoom,
  headOf,
  nameAt,
  objectPath,
  toldOf,
  undefinedIfMissing,
  uploadsOf,
} from './room.ts';

/**
 * An upload is `uploads/<id>/`: `upload.json` (key, type, metadata) and `parts/`, an object a part, named by its number and when it came.
 * Completing it composes them to the blob, inside Google; that is the moment at which the blob is seen. They are removed then; of
 * a removal that was cut off the note is gone and the rest is what `findStrays` finds.
 */

function roomOf(room: GcsRoom, uploadId: string) {
  checkUploadId(uploadId);
  const root = `${uploadsOf(room)}${uploadId}/`;
  return { root, note: root + noteName, parts: `${root}parts/`, steps: `${root}steps/` };
}

export async function createUpload(room: GcsRoom, key: string, options: UploadOptions): Promise<BlobUpload> {
  const { signal } = options;
  nameAt(room, key);
  signal.throwIfAborted();
  const { upload, note } = newUpload(key, options);
  const attributes = { name: roomOf(room, upload.uploadId).note };
  const content = async function* () {
    yield Buffer.from(note);
  };
  await asked(
    room.forJson({
      method: 'POST',
      path: `/upload${objectPath(room)}`,
      query: { uploadType: 'multipart', name: attributes.name },
      upload: { attributes, content: content() },
      signal,
    }),
    signal,
  );
  return upload;
}

async function findUpload(
  room: GcsRoom,
  { key, uploadId }: UploadRef,
  signal: AbortSignal,
): Promise<BlobUpload | undefined> {
  nameAt(room, key);
  const upload = await noteOf(room, uploadId, signal);
  return upload?.key === key ? upload : undefined;
}

async function noteOf(room: GcsRoom, uploadId: string, signal: AbortSignal): Promise<BlobUpload | undefined> {
  const path = objectPath(room, roomOf(room, uploadId).note);
  signal.throwIfAborted();
  const question = { method: 'GET', path, query: { alt: 'media' }, signal } as const;
  const note = await asked(room.forJson<UploadNote>(question).catch(undefinedIfMissing), signal);
  return note === undefined ? undefined : uploadOf(uploadId, note);
}

async function readUpload(room: GcsRoom, upload: UploadRef, signal: AbortSignal): Promise<BlobUpload> {
  const found = await findUpload(room, upload, signal);
  if (found === undefined) throw noSuchUpload(upload.uploadId);
  return found;
}

async function objectsBelow(room: GcsRoom, prefix: string, signal: AbortSignal): Promise<GcsObject[]> {
  const objects: GcsObject[] = [];
  for await (const { items } of pagesOf(room, { prefix, signal })) objects.push(...items);
  return objects;
}

async function uploadIds(room: GcsRoom, signal: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  for await (const { prefixes } of pagesOf(room, { prefix: uploadsOf(room), delimiter: '/', signal }))
    ids.push(...prefixes.map((prefix) => prefix.slice(uploadsOf(room).length, -1)).filter(isUploadId));
  return ids;
}

/** All, or those with one number. */
async function storedParts(
  room: GcsRoom,
  uploadId: string,
  signal: AbortSignal,
  partNumber?: number,
): Promise<StoredPart[]> {
  const { parts } = roomOf(room, uploadId);
  const prefix = partNumber === undefined ? parts : `${parts}${numberInName(partNumber)}.`;
  return (await objectsBelow(room, prefix, signal)).map((object) =>
    storedPart(object.name.slice(parts.length), object),
  );
}

const storedPart = (stem: string, { size, md5Hash = '' }: GcsObject): StoredPart =>
  partNamed(stem, { size: Number(size), etag: Buffer.from(md5Hash, 'base64').toString('hex') });

export async function putPart(
  room: GcsRoom,
  upload: UploadRef,
  partNumber: number,
  content: Readable,
  options: ContentOptions,
): Promise<BlobPart> {
  const { signal } = options;
  try {
    checkPartNumber(partNumber);
    const { parts } = roomOf(room, upload.uploadId);
    await readUpload(room, upload, signal);
    const stem = newPartStem(partNumber);
    const attributes = { name: parts + stem };
    const object = await sendObject(room, content, { ...options, key: upload.key, attributes });
    const part = storedPart(stem, object);
    await room.lockKey(upload.uploadId, async () => {
      // Completed or given up meanwhile: by this process, or by another one.
      await readUpload(room, upload, signal).catch(async (error: unknown) => {
        await removeObject(room, attributes.name, signal);
        throw error;
      });
      for (const other of await storedParts(room, upload.uploadId, signal, partNumber))
        if (other.sequence < part.sequence) await removeObject(room, parts + stemOf(other), signal);
    });
    return partOf(part);
  } catch (error) {
    content.destroy();
    throw signal.aborted ? signal.reason : failureOfSending(error, fromGcsError);
  }
}

export const listParts = async (
  room: GcsRoom,
  upload: UploadRef,
  asking: Parameters<BlobStore['listParts']>[1],
): ReturnType<BlobStore['listParts']> => {
  const found = await readUpload(room, upload, asking.signal);
  const parts = newestParts(await storedParts(room, upload.uploadId, asking.signal));
  return { upload: found, ...pageOfParts(parts.values(), asking) };
};

export const listUploads = async (
  room: GcsRoom,
  asking: Parameters<BlobStore['listUploads']>[0],
): ReturnType<BlobStore['listUploads']> => {
  const uploads = await sideBySide(await uploadIds(room, asking.signal), (uploadId) =>
    noteOf(room, uploadId, asking.signal),
  );
  return pageOfUploads(
    uploads.filter((upload) => upload !== undefined),
    asking,
  );
};

export async function completeUpload(
  room: GcsRoom,
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
    const query = await conditionFor(room, key, options, signal);
    const { parts: below, steps } = roomOf(room, uploadId);
    const target = { name: nameAt(room, key), metadata: metadataFor(key, found, etagOfParts(chosen)), query };
    const sources = chosen.map((part) => below + stemOf(part));
    const composed = compose(room, sources, target, { steps, signal }).catch((error: unknown) => {
      throw conditionErrorOf(error, key, options);
    });
    const object = await asked(composed, signal);
    await removeUpload(room, uploadId, signal);
    return infoOf(key, toldOf(object), Number(object.size));
  });
}

export async function abortUpload(
  room: GcsRoom,
  upload: UploadRef,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  await room.lockKey(upload.uploadId, async () => {
    await readUpload(room, upload, signal);
    await removeUpload(room, upload.uploadId, signal);
  });
}

/** The note first: without it there is no upload any more, whatever of it is left. */
async function removeUpload(room: GcsRoom, uploadId: string, signal: AbortSignal): Promise<void> {
  const { root, note } = roomOf(room, uploadId);
  await removeObject(room, note, signal);
  const rest = await objectsBelow(room, root, signal);
  await sideBySide(rest, ({ name }) => removeObject(room, name, signal));
}

async function removeObject(room: GcsRoom, name: string, signal: AbortSignal): Promise<void> {
  const question = { method: 'DELETE', path: objectPath(room, name), signal } as const;
  await asked(room.forJson(question).catch(undefinedIfMissing), signal);
}

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fromWriteError } from '@haic/kit/errors.ts';
import { checkPartNumber, checkPartOrder, noSuchUpload } from '../errors.ts';
import { newestParts, newPartStem, partNamed, readPartName, type StoredPart } from '../part-names.ts';
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
import { chooseParts, etagOfParts, pageOfParts, pageOfUploads, partOf } from '../upload-order.ts';
import { commit, newVersion } from './commit.ts';
import { ifThere, removeIfThere, syncDirectory, writeDurably } from './files.ts';
import { type Folders, removeTree } from './folders.ts';
import { placeOf } from './key-path.ts';
import { partListName } from './part-list.ts';
import { defaultContentType } from './put.ts';
import { readRecord } from './read-record.ts';
import { receive } from './receive.ts';
import { type BlobRecord, infoOf } from './record.ts';
import { removeUnusedParts } from './temporary.ts';

/**
 * An upload is the folder `uploads/<id>`: `upload.json` (key, type, metadata) and a file a part, whose name says all of it
 * (part-names.ts). Completing it moves the folder, as it is, to where the version belongs: no byte is copied, however many there are.
 */
export const uploadRecordName = 'upload.json';

interface UploadRecord {
  readonly key: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly startedAt: string;
}

export async function createUpload(
  folders: Folders,
  key: string,
  options: UploadOptions,
): Promise<BlobUpload> {
  placeOf(folders.objects, key);
  options.signal.throwIfAborted();
  const uploadId = randomBytes(16).toString('hex');
  const record: UploadRecord = {
    key,
    contentType: options.contentType ?? defaultContentType,
    metadata: options.metadata ?? {},
    startedAt: new Date().toISOString(),
  };
  const unfinished = path.join(folders.temporary, `${uploadId}.new`);
  try {
    await mkdir(unfinished, { mode: 0o700 });
    await writeDurably(path.join(unfinished, uploadRecordName), JSON.stringify(record, undefined, 2));
    await syncDirectory(unfinished);
    await rename(unfinished, path.join(folders.uploads, uploadId));
    await syncDirectory(folders.uploads);
  } catch (error) {
    await removeTree(unfinished);
    throw fromWriteError(error);
  }
  return uploadOf(uploadId, record);
}

const uploadOf = (uploadId: string, { startedAt, ...record }: UploadRecord): BlobUpload => ({
  ...record,
  uploadId,
  startedAt: new Date(startedAt),
});

/** The id comes from outside and becomes a path. */
function folderOf(folders: Folders, uploadId: string): string {
  if (!/^[0-9a-f]{32}$/.test(uploadId)) throw noSuchUpload(uploadId);
  return path.join(folders.uploads, uploadId);
}

async function findUpload(folders: Folders, { key, uploadId }: UploadRef): Promise<UploadRecord | undefined> {
  placeOf(folders.objects, key);
  const file = path.join(folderOf(folders, uploadId), uploadRecordName);
  const text = await ifThere(readFile(file, 'utf8'));
  const record = text === undefined ? undefined : (JSON.parse(text) as UploadRecord);
  return record?.key === key ? record : undefined;
}

async function readUpload(folders: Folders, upload: UploadRef): Promise<UploadRecord> {
  const record = await findUpload(folders, upload);
  if (record === undefined) throw noSuchUpload(upload.uploadId);
  return record;
}

export async function putPart(
  folders: Folders,
  upload: UploadRef,
  partNumber: number,
  content: Readable,
  options: ContentOptions,
): Promise<BlobPart> {
  const unfinished = path.join(folders.temporary, newVersion());
  try {
    options.signal.throwIfAborted();
    checkPartNumber(partNumber);
    await readUpload(folders, upload);
    const received = await receive(folders, content, unfinished, upload.key, options);
    const part = partNamed(newPartStem(partNumber), received);
    const directory = folderOf(folders, upload.uploadId);
    await folders.lockUpload(upload.uploadId, async () => {
      const moved = await ifThere(rename(unfinished, path.join(directory, part.file)).then(() => true));
      if (moved === undefined) throw noSuchUpload(upload.uploadId);
      await syncDirectory(directory);
      for (const other of await allParts(directory))
        if (other.partNumber === partNumber && other.sequence < part.sequence)
          await removeIfThere(path.join(directory, other.file));
    });
    return partOf(part);
  } catch (error) {
    content.destroy();
    await rm(unfinished, { force: true });
    throw fromWriteError(error);
  }
}

const allParts = async (directory: string): Promise<StoredPart[]> =>
  ((await ifThere(readdir(directory))) ?? []).flatMap((name) => readPartName(name) ?? []);

const currentParts = async (directory: string) => newestParts(await allParts(directory));

export const listParts: (
  folders: Folders,
  ...args: Parameters<BlobStore['listParts']>
) => ReturnType<BlobStore['listParts']> = async (folders, upload, asked) => {
  asked.signal.throwIfAborted();
  const record = await readUpload(folders, upload);
  return {
    upload: uploadOf(upload.uploadId, record),
    ...pageOfParts((await currentParts(folderOf(folders, upload.uploadId))).values(), asked),
  };
};

export const listUploads: (
  folders: Folders,
  ...args: Parameters<BlobStore['listUploads']>
) => ReturnType<BlobStore['listUploads']> = async (folders, asked) => {
  const uploads: BlobUpload[] = [];
  for (const uploadId of await readdir(folders.uploads)) {
    asked.signal.throwIfAborted();
    const file = path.join(folders.uploads, uploadId, uploadRecordName);
    const text = await ifThere(readFile(file, 'utf8'));
    // It ended since the folder was read.
    if (text === undefined) continue;
    uploads.push(uploadOf(uploadId, JSON.parse(text) as UploadRecord));
  }
  return pageOfUploads(uploads, asked);
};

export async function completeUpload(
  folders: Folders,
  upload: UploadRef,
  parts: readonly { partNumber: number; etag: string }[],
  options: WriteCondition & { signal: AbortSignal },
): Promise<BlobInfo> {
  options.signal.throwIfAborted();
  checkPartOrder(parts);
  return folders.lockUpload(upload.uploadId, async () => {
    const begun = await findUpload(folders, upload);
    if (begun === undefined) return completedBefore(folders, upload);
    const directory = folderOf(folders, upload.uploadId);
    const chosen = chooseParts(parts, await currentParts(directory));
    const record: BlobRecord = {
      key: upload.key,
      version: newVersion(),
      size: chosen.reduce((sum, part) => sum + part.size, 0),
      contentType: begun.contentType,
      etag: etagOfParts(chosen, folders.etags),
      modifiedAt: new Date().toISOString(),
      metadata: begun.metadata,
      inParts: true,
      uploadId: upload.uploadId,
    };
    try {
      await writePartList(folders, directory, chosen);
      const bytes = {
        place: (to: string) => moveUpload(directory, to, upload),
        takeBack: takeBackTo(directory),
        // It is completed, whatever becomes of these.
        tidy: (at: string) => removeUnusedParts(at).catch(() => undefined),
      };
      await commit(folders, record, bytes, options);
    } catch (error) {
      throw fromWriteError(error);
    }
    return infoOf(record);
  });
}

/** The answer to the first completion may have got lost. */
async function completedBefore(folders: Folders, upload: UploadRef): Promise<BlobInfo> {
  const record = await readRecord(folders.disk, placeOf(folders.objects, upload.key));
  if (record?.uploadId !== upload.uploadId) throw noSuchUpload(upload.uploadId);
  return infoOf(record);
}

async function writePartList(
  folders: Folders,
  directory: string,
  parts: readonly StoredPart[],
): Promise<void> {
  const unfinished = path.join(folders.temporary, `${newVersion()}.parts`);
  try {
    const list = parts.map(({ file, size }) => ({ file, size }));
    await writeDurably(unfinished, JSON.stringify(list, undefined, 1));
    await rename(unfinished, path.join(directory, partListName));
    await syncDirectory(directory);
  } catch (error) {
    await removeIfThere(unfinished);
    throw error;
  }
}

async function moveUpload(from: string, to: string, upload: UploadRef): Promise<void> {
  if ((await ifThere(readFile(path.join(from, uploadRecordName)))) === undefined)
    throw noSuchUpload(upload.uploadId);
  await rename(from, to);
}

const takeBackTo = (directory: string) => async (from: string) => {
  await ifThere(rename(from, directory));
};

export async function abortUpload(
  folders: Folders,
  upload: UploadRef,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  signal.throwIfAborted();
  await folders.lockUpload(upload.uploadId, async () => {
    await readUpload(folders, upload);
    const going = path.join(folders.temporary, `${upload.uploadId}.old`);
    await ifThere(rename(folderOf(folders, upload.uploadId), going));
    await removeTree(going);
  });
}

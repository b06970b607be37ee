import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, mkdir, open, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { conflict, fromWriteError, HaicError, invalid, tooLarge } from '@haic/kit/errors.ts';
import type { BlobInfo, BlobStore, PutOptions } from '../port.ts';
import {
  ensureDirectory,
  errorCode,
  ifThere,
  removeEmptyDirectories,
  removeIfThere,
  syncDirectory,
  writeDurably,
} from './files.ts';
import { createKeyLock } from './key-lock.ts';
import { type KeyPlace, placeOf } from './key-path.ts';
import { walkKeys } from './listing.ts';
import { type BlobRecord, infoOf, readRecord, recordPath, versionPath } from './record.ts';
import { openTemporaryFolder } from './temporary.ts';

/**
 * Blobs as files below `directory`, on any local disk or volume: `objects/` (see key-path.ts) and `temporary/`. Sweeps at start what
 * earlier processes left unfinished. Several processes may share the directory; two that overwrite one key within the same
 * millisecond may leave the loser's bytes behind, unseen.
 */
export async function createFilesystemBlobStore(options: { directory: string }): Promise<BlobStore> {
  const root = path.resolve(options.directory);
  const objects = path.join(root, 'objects');
  await mkdir(objects, { recursive: true, mode: 0o700 });
  const temporary = await openTemporaryFolder(path.join(root, 'temporary'), objects);
  await refuseCaseInsensitive(temporary);
  const folders: Folders = { objects, temporary, lock: createKeyLock() };
  return {
    put: (key, content, put) => putBlob(folders, key, content, put),
    get: (key, get) => getBlob(objects, key, get),
    head: async (key, { signal }) => {
      signal.throwIfAborted();
      const record = await readRecord(placeOf(objects, key));
      return record === undefined ? undefined : infoOf(record);
    },
    delete: (key, { signal }) => deleteBlob(folders, key, signal),
    list: (list) => listBlobs(objects, list),
  };
}

interface Folders {
  readonly objects: string;
  readonly temporary: string;
  readonly lock: <T>(key: string, work: () => Promise<T>) => Promise<T>;
}

/** On such a disk the keys `A` and `a` would be one. */
async function refuseCaseInsensitive(temporary: string): Promise<void> {
  const probe = path.join(temporary, 'case-Probe');
  await writeFile(probe, '');
  const sameFile = await ifThere(stat(path.join(temporary, 'case-probe')));
  await unlink(probe);
  if (sameFile !== undefined)
    throw new Error(
      `${temporary} is on a disk that does not tell upper from lower case; choose another one.`,
    );
}

async function putBlob(
  folders: Folders,
  key: string,
  content: Readable,
  options: PutOptions,
): Promise<BlobInfo> {
  const place = placeOf(folders.objects, key);
  const version = randomBytes(8).toString('hex');
  const unfinished = path.join(folders.temporary, version);
  try {
    options.signal.throwIfAborted();
    if (options.ifAbsent && (await readRecord(place)) !== undefined) throw blobExists(key);
    const { size, sha256 } = await receive(content, unfinished, key, options);
    const record: BlobRecord = {
      key,
      version,
      size,
      contentType: options.contentType ?? 'application/octet-stream',
      sha256,
      modifiedAt: new Date().toISOString(),
      metadata: options.metadata ?? {},
    };
    await folders.lock(key, () => commit(folders, place, record, options.ifAbsent ?? false));
    return infoOf(record);
  } catch (error) {
    content.destroy();
    await rm(unfinished, { force: true });
    throw fromWriteError(error);
  }
}

const blobExists = (key: string) => conflict('blob_exists', `There is a blob with the key "${key}" already.`);

/** Streams the content to a synced file, counting and hashing on the way. */
async function receive(content: Readable, file: string, key: string, options: PutOptions) {
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (options.maxBytes !== undefined && size > options.maxBytes) {
        done(tooLarge('blob_too_large', `"${key}" is larger than the allowed ${options.maxBytes} bytes.`));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
  try {
    await pipeline(content, meter, target, { signal: options.signal });
  } catch (error) {
    throw options.signal.aborted ? options.signal.reason : error;
  }
  const sha256 = hash.digest('hex');
  if (options.sha256 !== undefined && options.sha256 !== sha256) {
    throw invalid('blob_corrupt', `"${key}" did not arrive whole: its SHA-256 is ${sha256}.`, {
      details: { expected: options.sha256, actual: sha256 },
    });
  }
  return { size, sha256 };
}

/** The intent outlives the change, so that a crash anywhere in between is cleaned up at the next start. */
async function commit(folders: Folders, place: KeyPlace, record: BlobRecord, ifAbsent: boolean) {
  const intent = path.join(folders.temporary, `${record.version}.json`);
  const ready = path.join(folders.temporary, `${record.version}.record`);
  const bytes = versionPath(place, record.version);
  try {
    const before = await readRecord(place);
    await writeDurably(intent, JSON.stringify(record, undefined, 2));
    await moveInto(place.directory, path.join(folders.temporary, record.version), bytes);
    await link(intent, ready);
    if (ifAbsent) await linkIfAbsent(ready, recordPath(place), record.key);
    else await rename(ready, recordPath(place));
    await syncDirectory(place.directory);
    if (before !== undefined) await removeIfThere(versionPath(place, before.version));
  } catch (error) {
    if ((await readRecord(place))?.version !== record.version) {
      await removeIfThere(bytes);
      await removeEmptyDirectories(place.directory, folders.objects);
    }
    throw error;
  } finally {
    await removeIfThere(ready);
    await removeIfThere(intent);
  }
}

/** A concurrent delete may remove the folder as empty just before the rename: then it is made again. */
async function moveInto(directory: string, from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await ensureDirectory(directory);
      await rename(from, to);
      await syncDirectory(directory);
      return;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' || attempt === 20) throw error;
    }
  }
}

/** link(2) fails when the name exists, whoever made it: the one check that holds across processes. */
async function linkIfAbsent(from: string, to: string, key: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    throw errorCode(error) === 'EEXIST' ? blobExists(key) : error;
  }
}

async function getBlob(
  objects: string,
  key: string,
  options: { range?: { start: number; end?: number }; signal: AbortSignal },
): Promise<{ info: BlobInfo; content: Readable } | undefined> {
  const place = placeOf(objects, key);
  for (let attempt = 1; ; attempt += 1) {
    options.signal.throwIfAborted();
    const record = await readRecord(place);
    if (record === undefined) return undefined;
    const range = checkRange(key, record.size, options.range);
    const handle = await ifThere(open(versionPath(place, record.version), 'r'));
    if (handle !== undefined) {
      // An open file stays whole when the blob is overwritten or deleted meanwhile.
      const content = handle.createReadStream({ ...range, autoClose: true, signal: options.signal });
      return { info: infoOf(record), content };
    }
    // It was overwritten between the two reads: read the new record. That this happens often in a row means lost bytes.
    if (attempt === 20)
      throw new Error(`The bytes of the blob "${key}" are missing: ${versionPath(place, record.version)}`);
  }
}

function checkRange(key: string, size: number, range: { start: number; end?: number } | undefined) {
  if (range === undefined) return {};
  const { start, end = Number.MAX_SAFE_INTEGER } = range;
  if (!Number.isSafeInteger(start) || start < 0 || start >= size || end < start) {
    throw new HaicError(
      'range_not_satisfiable',
      416,
      `"${key}" has ${size} bytes; the range asked for is not in it.`,
    );
  }
  return { start, end };
}

async function deleteBlob(folders: Folders, key: string, signal: AbortSignal): Promise<void> {
  const place = placeOf(folders.objects, key);
  signal.throwIfAborted();
  await folders.lock(key, async () => {
    const record = await readRecord(place);
    if (record === undefined) return;
    const intent = path.join(folders.temporary, `${randomBytes(8).toString('hex')}.json`);
    // A full disk must not keep anybody from deleting: without the intent a crash right now would only leave bytes behind.
    await writeFile(intent, JSON.stringify({ key })).catch(() => undefined);
    await removeIfThere(recordPath(place));
    await syncDirectory(place.directory);
    await removeIfThere(versionPath(place, record.version));
    await removeIfThere(intent);
    await removeEmptyDirectories(place.directory, folders.objects);
  });
}

async function listBlobs(
  objects: string,
  options: { prefix: string; after?: string; limit?: number; signal: AbortSignal },
): Promise<{ blobs: readonly BlobInfo[]; more: boolean }> {
  const limit = options.limit ?? 1000;
  const blobs: BlobInfo[] = [];
  for await (const key of walkKeys(objects, { prefix: options.prefix, after: options.after })) {
    options.signal.throwIfAborted();
    const record = await readRecord(placeOf(objects, key));
    if (record === undefined) continue; // Deleted since its folder was read.
    if (blobs.length === limit) return { blobs, more: true };
    blobs.push(infoOf(record));
  }
  return { blobs, more: false };
}

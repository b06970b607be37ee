import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fromWriteError } from '@haic/kit/errors.ts';
import type { BlobInfo, PutOptions, WriteCondition } from '../port.ts';
import { checkCondition, commit, commitWithin, isConditional, newVersion } from './commit.ts';
import { removeIfThere, writeDurably } from './files.ts';
import type { Folders } from './folders.ts';
import { gather } from './gather.ts';
import { placeOf } from './key-path.ts';
import { receive } from './receive.ts';
import { type BlobRecord, infoOf, readRecord, recordLine } from './record.ts';

export async function putBlob(
  folders: Folders,
  key: string,
  content: Readable,
  options: PutOptions,
): Promise<BlobInfo> {
  const place = placeOf(folders.objects, key);
  const version = newVersion();
  const unfinished = path.join(folders.temporary, version);
  const recordOf = (received: { size: number; etag: string }): BlobRecord => ({
    key,
    version,
    size: received.size,
    contentType: options.contentType ?? defaultContentType,
    etag: received.etag,
    modifiedAt: new Date().toISOString(),
    metadata: options.metadata ?? {},
  });
  try {
    options.signal.throwIfAborted();
    // Asked again when it is committed; refused here before its bytes are read.
    if (isConditional(options)) checkCondition(key, await readRecord(place), options);
    if (options.size !== undefined && options.size < folders.smallestBeside) {
      const gathered = await gather(content, key, { ...options, size: options.size }, folders.etags);
      return infoOf(await putWithin(folders, recordOf(gathered), gathered.bytes, options));
    }
    const record = recordOf(await receive(content, unfinished, key, options, folders.etags));
    await commit(
      folders,
      record,
      { place: (to) => rename(unfinished, to), takeBack: removeIfThere },
      options,
    );
    return infoOf(record);
  } catch (error) {
    content.destroy();
    await rm(unfinished, { force: true });
    throw fromWriteError(error);
  }
}

/** Writes record and content as one file and makes it what the key names. */
export async function putWithin(
  folders: Folders,
  record: BlobRecord,
  content: Buffer,
  condition: WriteCondition,
): Promise<BlobRecord> {
  const whole: BlobRecord = { ...record, within: true };
  const ready = path.join(folders.temporary, `${record.version}.record`);
  try {
    const line = Buffer.from(recordLine(whole));
    await writeDurably(ready, [line, content]);
    await commitWithin(folders, whole, ready, condition);
    return whole;
  } catch (error) {
    await removeIfThere(ready);
    throw error;
  }
}

export const defaultContentType = 'application/octet-stream';

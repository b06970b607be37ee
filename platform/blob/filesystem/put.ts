import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fromWriteError } from '@haic/kit/errors.ts';
import { checkContent } from '../check-content.ts';
import type { DigestAlgorithm, Sums } from '../digests.ts';
import type { BlobInfo, ContentOptions, PutOptions, WriteCondition } from '../port.ts';
import { checkCondition, commit, commitWithin, isConditional, newVersion } from './commit.ts';
import { removeIfThere } from './files.ts';
import type { Folders } from './folders.ts';
import { gather } from './gather.ts';
import { placeOf } from './key-path.ts';
import { readRecord } from './read-record.ts';
import { receive } from './receive.ts';
import { type BlobRecord, infoOf, recordPath } from './record.ts';

export async function putBlob(
  folders: Folders,
  key: string,
  content: Readable,
  options: PutOptions,
): Promise<BlobInfo> {
  const place = placeOf(folders.objects, key);
  const version = newVersion();
  const unfinished = path.join(folders.temporary, version);
  const recordOf = (received: { size: number; etag?: string }): BlobRecord => ({
    key,
    version,
    size: received.size,
    contentType: options.contentType ?? defaultContentType,
    ...(received.etag === undefined ? {} : { etag: received.etag }),
    modifiedAt: new Date().toISOString(),
    metadata: options.metadata ?? {},
  });
  try {
    options.signal.throwIfAborted();
    // Asked again when it is committed; refused here before its bytes are read.
    if (isConditional(options)) checkCondition(key, await readRecord(folders.disk, place), options);
    const { size } = options;
    if (size !== undefined && size < folders.smallestBeside) {
      const bytes = await gather(content, key, { ...options, size });
      return infoOf(await putWithin(folders, recordOf({ size }), bytes, options));
    }
    const record = recordOf(await receive(folders, content, unfinished, key, options));
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

/** Writes record and content, which is taken over, as one file and makes it what the key names. Without an etag the record gets the content's. */
export async function putWithin(
  folders: Folders,
  record: BlobRecord,
  content: Buffer,
  options: WriteCondition & Pick<ContentOptions, 'size' | DigestAlgorithm>,
): Promise<BlobRecord> {
  const within: BlobRecord = { ...record, within: true };
  const place = placeOf(folders.objects, record.key);
  const ready = path.join(folders.temporary, `${record.version}.record`);
  const etag = record.etag === undefined ? folders.etags : undefined;
  try {
    const at = isConditional(options) ? undefined : { directory: place.directory, file: recordPath(place) };
    const { sums, state } = await folders.lockKey(record.key, () =>
      folders.disk.putWithin({ record: within, etag, said: saidOf(options), ready, at }, content),
    );
    checkContent(record.key, options, { ...sums, size: record.size });
    const whole = etag === undefined ? within : { ...within, etag: sums[etag] ?? '' };
    if (state !== 'named') await commitWithin(folders, whole, ready, options);
    return whole;
  } catch (error) {
    await removeIfThere(ready);
    throw error;
  }
}

const saidOf = (options: Pick<ContentOptions, DigestAlgorithm>): Sums => ({
  ...(options.md5 === undefined ? {} : { md5: options.md5 }),
  ...(options.sha256 === undefined ? {} : { sha256: options.sha256 }),
});

export const defaultContentType = 'application/octet-stream';

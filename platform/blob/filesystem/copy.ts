import { link, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fromWriteError } from '@haic/kit/errors.ts';
import { blobChanged } from '../errors.ts';
import type { BlobInfo, CopyOptions } from '../port.ts';
import { commit, newVersion } from './commit.ts';
import { bytesMissing } from './content.ts';
import { ifThere, syncDirectory } from './files.ts';
import { type Folders, removeTree } from './folders.ts';
import { placeOf } from './key-path.ts';
import { partListName, readPartList } from './part-list.ts';
import { defaultContentType, putWithin } from './put.ts';
import { readRecordAndContent } from './read-record.ts';
import { type BlobRecord, etagOf, infoOf, versionPath } from './record.ts';

class SourceGone extends Error {}

/** Versions never change, so a copy is a second name of the same bytes (link(2)): it costs neither time nor space. Small ones are written again. */
export async function copyBlob(
  folders: Folders,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<BlobInfo | undefined> {
  const from = placeOf(folders.objects, source);
  placeOf(folders.objects, target);
  for (let attempt = 1; ; attempt += 1) {
    options.signal.throwIfAborted();
    const found = await readRecordAndContent(folders.disk, from);
    if (found === undefined) return undefined;
    const original = found.record;
    if (options.ifSourceMatch !== undefined && etagOf(original) !== options.ifSourceMatch)
      throw blobChanged(source);
    const record = recordOfCopy(original, target, options);
    const bytes = versionPath(from, original.version);
    try {
      if (found.content !== undefined)
        return infoOf(await putWithin(folders, record, found.content, options));
      const place = (to: string) => linkBytes(bytes, to, original.inParts ?? false);
      await commit(folders, record, { place, takeBack: removeTree }, options);
      return infoOf(record);
    } catch (error) {
      // The source was overwritten between the two reads: read the new record.
      if (!(error instanceof SourceGone)) throw fromWriteError(error);
      if (attempt === 20) throw bytesMissing(original, bytes);
    }
  }
}

function recordOfCopy(original: BlobRecord, target: string, { replace }: CopyOptions): BlobRecord {
  return {
    key: target,
    version: newVersion(),
    size: original.size,
    contentType: replace === undefined ? original.contentType : (replace.contentType ?? defaultContentType),
    etag: etagOf(original),
    modifiedAt: new Date().toISOString(),
    metadata: replace === undefined ? original.metadata : (replace.metadata ?? {}),
    ...(original.inParts ? { inParts: true } : {}),
  };
}

async function linkBytes(from: string, to: string, inParts: boolean): Promise<void> {
  if ((await ifThere(stat(from))) === undefined) throw new SourceGone();
  if (!inParts) {
    await link(from, to);
    return;
  }
  const parts = await readPartList(from);
  if (parts === undefined) throw new SourceGone();
  await mkdir(to, { mode: 0o700 });
  for (const file of [...parts.map((part) => part.file), partListName]) {
    if ((await ifThere(link(path.join(from, file), path.join(to, file)).then(() => true))) === undefined) {
      await removeTree(to);
      throw new SourceGone();
    }
  }
  await syncDirectory(to);
}

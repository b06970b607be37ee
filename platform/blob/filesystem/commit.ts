import { randomUUID } from 'node:crypto';
import { link, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { blobChanged, blobExists } from '../errors.ts';
import type { WriteCondition } from '../port.ts';
import {
  ensureDirectory,
  errorCode,
  ifThere,
  removeEmptyDirectories,
  removeIfThere,
  syncDirectory,
  writeDurably,
} from './files.ts';
import type { Folders } from './folders.ts';
import { type KeyPlace, placeOf } from './key-path.ts';
import { readRecord } from './read-record.ts';
import { type BlobRecord, etagOf, recordLine, recordPath, versionPath } from './record.ts';

/** How the bytes of a version get to where they belong, and back. */
export interface Bytes {
  /** May be tried again when the folder of `to` is gone (`ENOENT`). */
  place(to: string): Promise<void>;
  takeBack(from: string): Promise<void>;
  /** Once the version is what the key names: removes what came with it and is not of it. A crash in between leaves that to the next start. */
  tidy?(at: string): Promise<void>;
}

export const isConditional = ({ ifAbsent, ifMatch }: WriteCondition): boolean =>
  ifAbsent === true || ifMatch !== undefined;

/** 16 random digits. Node keeps randomness for UUIDs in stock; to ask for eight bytes costs a small put some hundredths of what it costs. */
export const newVersion = (): string => randomUUID().replaceAll('-', '').slice(16);

/** The intent outlives the change, so that a crash anywhere in between is cleaned up at the next start. */
export async function commit(
  folders: Folders,
  record: BlobRecord,
  bytes: Bytes,
  condition: WriteCondition,
): Promise<void> {
  const place = placeOf(folders.objects, record.key);
  const at = versionPath(place, record.version);
  const intent = path.join(folders.temporary, `${record.version}.json`);
  const ready = path.join(folders.temporary, `${record.version}.record`);
  await folders.lockKey(record.key, async () => {
    let settled = true;
    try {
      const before = await readRecord(folders.disk, place);
      checkCondition(record.key, before, condition);
      await writeDurably(intent, recordLine(record));
      await moveInto(place.directory, () => bytes.place(at));
      await link(intent, ready);
      if (condition.ifAbsent) await linkIfAbsent(ready, recordPath(place), record.key);
      else await rename(ready, recordPath(place));
      await syncDirectory(place.directory);
      if (before !== undefined) await removeVersion(folders, place, before);
      await bytes.tidy?.(at);
    } catch (error) {
      // Named, but perhaps not for good: a power cut may bring the old record back, so the bytes of both are left to the next start.
      settled = (await readRecord(folders.disk, place))?.version !== record.version;
      if (settled) {
        await bytes.takeBack(at);
        await removeEmptyDirectories(place.directory, folders.objects);
      }
      throw error;
    } finally {
      await removeIfThere(ready);
      if (settled) await removeIfThere(intent);
    }
  });
}

/**
 * The same for a blob that is within its record, which is written and synced at `ready`. One rename changes all of it: a crash leaves the old
 * blob or the new one, and an intent is only needed where the old one has bytes beside it.
 */
export async function commitWithin(
  folders: Folders,
  record: BlobRecord,
  ready: string,
  condition: WriteCondition,
): Promise<void> {
  const place = placeOf(folders.objects, record.key);
  const to = recordPath(place);
  const intent = path.join(folders.temporary, `${record.version}.json`);
  await folders.lockKey(record.key, async () => {
    const before = await readRecord(folders.disk, place);
    checkCondition(record.key, before, condition);
    const leavesBytes = before !== undefined && !before.within;
    let settled = true;
    try {
      if (leavesBytes) await writeDurably(intent, JSON.stringify({ key: record.key }));
      await moveInto(place.directory, () =>
        condition.ifAbsent ? linkIfAbsent(ready, to, record.key) : rename(ready, to),
      );
      if (leavesBytes) await removeVersion(folders, place, before);
    } catch (error) {
      const now = await readRecord(folders.disk, place);
      settled = now?.version !== record.version;
      if (now === undefined) await removeEmptyDirectories(place.directory, folders.objects);
      throw error;
    } finally {
      if (leavesBytes && settled) await removeIfThere(intent);
      if (condition.ifAbsent) await removeIfThere(ready);
    }
  });
}

/** `ifMatch` holds among the writers of this process; `ifAbsent` among all (see `linkIfAbsent`). */
export function checkCondition(
  key: string,
  record: BlobRecord | undefined,
  { ifAbsent, ifMatch }: WriteCondition,
): void {
  if (ifAbsent && record !== undefined) throw blobExists(key);
  if (ifMatch !== undefined && (record === undefined || etagOf(record) !== ifMatch)) throw blobChanged(key);
}

/** The folder is made when it is missing; again when a concurrent delete removes it, as empty, just before the rename. */
async function moveInto(directory: string, move: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (attempt > 1) await ensureDirectory(directory);
      await move();
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

async function removeVersion(folders: Folders, place: KeyPlace, record: BlobRecord): Promise<void> {
  if (record.within) return;
  const at = versionPath(place, record.version);
  if (record.inParts) await folders.readers.retire(at, path.join(folders.temporary, `${record.version}.old`));
  else await removeIfThere(at);
}

export async function deleteBlob(
  folders: Folders,
  key: string,
  { ifMatch, signal }: { ifMatch?: string; signal: AbortSignal },
): Promise<void> {
  const place = placeOf(folders.objects, key);
  signal.throwIfAborted();
  await folders.lockKey(key, async () => {
    const record = await readRecord(folders.disk, place);
    checkCondition(key, record, ifMatch === undefined ? {} : { ifMatch });
    if (record === undefined) return;
    const intent = path.join(folders.temporary, `${newVersion()}.json`);
    // A full disk must not keep anybody from deleting: without the intent a crash right now would only leave bytes behind.
    if (!record.within) await writeFile(intent, JSON.stringify({ key })).catch(() => undefined);
    await removeIfThere(recordPath(place));
    // Who removed its last other blob may have removed the folder meanwhile.
    await ifThere(syncDirectory(place.directory));
    await removeVersion(folders, place, record);
    if (!record.within) await removeIfThere(intent);
    await removeEmptyDirectories(place.directory, folders.objects);
  });
}

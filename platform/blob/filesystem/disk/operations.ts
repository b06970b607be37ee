import { closeSync, fsyncSync, openSync, readSync, renameSync, writeSync, writevSync } from 'node:fs';
import { createDigests, type DigestAlgorithm, type Digests, type Sums } from '../../digests.ts';
import { errorCode } from '../files.ts';
import { contentStart, parseRecord, recordLine } from '../record.ts';
import type { PutWithin, PutWithinOutcome } from './disk.ts';

/** A record is smaller, unless there is much metadata. */
const recordBytes = 4 * 1024;
/** Of blobs up to this size one read brings all. */
const smallBytes = 64 * 1024;

/** Of so many what was hashed is still in the processor's cache when it is written. */
const blockBytes = 128 * 1024;

/** What a thread does of a disk's work (disk.ts), each in one go. They wait for the disk: on the main thread only where nobody else does. */
export function createOperations() {
  const files = new Map<number, { readonly descriptor: number; readonly digests: Digests }>();
  const fileOf = (id: number) => {
    const file = files.get(id);
    if (file === undefined) throw new Error('The file is closed.');
    return file;
  };
  const close = (id: number): void => {
    const { descriptor } = fileOf(id);
    files.delete(id);
    closeSync(descriptor);
  };
  return {
    readRecord: (file: string) => readBeginning(file, recordBytes, (read) => contentStart(read) ?? all),
    readRecordAndContent: (file: string) => readBeginning(file, recordBytes + smallBytes, endOfContent),
    putWithin,
    create: (id: number, file: string, algorithms: readonly DigestAlgorithm[]): void => {
      files.set(id, { descriptor: openSync(file, 'wx', 0o600), digests: createDigests(algorithms) });
    },
    write: (id: number, buffer: Buffer, length: number): Buffer => {
      const { descriptor, digests } = fileOf(id);
      for (let done = 0; done < length; done += blockBytes) {
        const block = buffer.subarray(done, Math.min(length, done + blockBytes));
        digests.update(block);
        writeWhole(descriptor, block);
      }
      return buffer;
    },
    finish: (id: number): Sums => {
      const { descriptor, digests } = fileOf(id);
      try {
        fsyncSync(descriptor);
      } finally {
        close(id);
      }
      return digests.sums();
    },
    abandon: close,
  };
}

export type Operations = ReturnType<typeof createOperations>;
export type OperationName = keyof Operations;

/** One of them by its name, with arguments that fit it. */
export function perform(operations: Operations, name: OperationName, args: readonly unknown[]): unknown {
  const byName: Readonly<Record<OperationName, (...args: never[]) => unknown>> = operations;
  return (byName[name] as (...args: readonly unknown[]) => unknown)(...args);
}

/** More than any file has: read on. */
const all = Number.MAX_SAFE_INTEGER;

function endOfContent(read: Buffer): number {
  const start = contentStart(read);
  if (start === undefined) return all;
  const { within, size } = parseRecord(read);
  return within ? start + size : start;
}

/**
 * Reads a file from its beginning, first `first` bytes and then on until there are as many as `wanted` says of what was read, or it ends.
 * Undefined when it is not there.
 */
function readBeginning(file: string, first: number, wanted: (read: Buffer) => number): Buffer | undefined {
  const descriptor = openIfThere(file);
  if (descriptor === undefined) return undefined;
  try {
    let space = Buffer.allocUnsafeSlow(first);
    for (let length = 0; ; ) {
      const bytesRead = readSync(descriptor, space, length, space.length - length, length);
      length += bytesRead;
      const read = space.subarray(0, length);
      const enough = bytesRead === 0 ? 0 : wanted(read);
      if (length >= enough) return read;
      if (length < space.length) continue;
      space = Buffer.allocUnsafeSlow(Math.min(enough, space.length * 4));
      read.copy(space);
    }
  } finally {
    closeSync(descriptor);
  }
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function putWithin({ record, etag, said, ready, at }: PutWithin, content: Buffer): PutWithinOutcome {
  const expected = (['md5', 'sha256'] as const).filter((name) => said[name] !== undefined);
  const digests = createDigests(new Set(etag === undefined ? expected : [etag, ...expected]));
  digests.update(content);
  const sums = digests.sums();
  if (expected.some((name) => said[name] !== sums[name])) return { sums, state: 'refused' };
  const line = recordLine(etag === undefined ? record : { ...record, etag: sums[etag] ?? '' });
  const descriptor = openSync(ready, 'wx', 0o600);
  try {
    writeTogether(descriptor, Buffer.from(line), content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return { sums, state: at !== undefined && take(ready, at) ? 'named' : 'ready' };
}

/** Gives it the name of a record that is not there, or has no bytes beside it; durably. */
function take(ready: string, { directory, file }: { directory: string; file: string }): boolean {
  const before = readBeginning(file, recordBytes, (read) => contentStart(read) ?? all);
  if (before !== undefined && !parseRecord(before).within) return false;
  try {
    renameSync(ready, file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  const folder = openSync(directory, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
  return true;
}

/** A disk that fills up may take a part of what it is given. */
function writeTogether(descriptor: number, line: Buffer, content: Buffer): void {
  const written = writevSync(descriptor, [line, content]);
  if (written < line.length + content.length)
    writeWhole(descriptor, Buffer.concat([line, content]).subarray(written));
}

function writeWhole(descriptor: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done);
}

import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { createDigests, type DigestAlgorithm, type Digests, type Sums } from '../../digests.ts';
import { errorCode } from '../files.ts';
import { contentStart, parseRecord, recordLine } from '../record.ts';
import type { PutWithin, PutWithinOutcome } from './disk.ts';

/** A record is smaller, unless there is much metadata. */
const recordBytes = 4 * 1024;
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
    readRecord: (file: string) => readIfThere(file, readRecordLine),
    readRecordAndContent: (file: string) => readIfThere(file, readWhole),
    putWithin,
    /** Its descriptor, which is good for every thread of the process. */
    create: (id: number, file: string, algorithms: readonly DigestAlgorithm[]): number => {
      const descriptor = openSync(file, 'wx', 0o600);
      files.set(id, { descriptor, digests: createDigests(algorithms) });
      return descriptor;
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
    syncData: (descriptor: number): void => fdatasyncSync(descriptor),
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

/** Undefined when the file is not there. */
function readIfThere(file: string, read: (descriptor: number) => Buffer): Buffer | undefined {
  const descriptor = openIfThere(file);
  if (descriptor === undefined) return undefined;
  try {
    return read(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Reads on until the line has ended, or the file. */
function readRecordLine(descriptor: number): Buffer {
  let space = Buffer.allocUnsafeSlow(recordBytes);
  for (let length = 0; ; ) {
    const bytesRead = readSync(descriptor, space, length, space.length - length, length);
    length += bytesRead;
    const read = space.subarray(0, length);
    if (bytesRead === 0 || contentStart(read) !== undefined) return read;
    if (length < space.length) continue;
    space = Buffer.allocUnsafeSlow(space.length * 4);
    read.copy(space);
  }
}

function readWhole(descriptor: number): Buffer {
  const space = Buffer.allocUnsafeSlow(fstatSync(descriptor).size);
  for (let length = 0; length < space.length; ) {
    const bytesRead = readSync(descriptor, space, length, space.length - length, length);
    if (bytesRead === 0) return space.subarray(0, length);
    length += bytesRead;
  }
  return space;
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
  // Asked first: to open what is not there makes an error, which costs more than all calls for a new key.
  const before = existsSync(file) ? readIfThere(file, readRecordLine) : undefined;
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

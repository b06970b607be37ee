import { constants } from 'node:fs';
import { copyFile, open, rename, stat, truncate } from 'node:fs/promises';
import path from 'node:path';

/**
 * What one attempt has printed, as one stream of bytes counted from its start, of which the oldest may be gone. It is kept in two
 * files: `log`, which the process appends to, and `log.1`, what was rotated away last.
 */
export interface AttemptLog {
  readonly file: string;
  /** First byte that is still there, and the end. */
  bounds(): Promise<{ start: number; end: number }>;
  /** Bytes from an offset on, fewer than asked at the end; from the oldest there are when those before it are gone. */
  read(offset: number, most: number): Promise<{ offset: number; bytes: Buffer }>;
  /** Moves the content to `log.1` once it is larger than the limit. */
  rotate(limitBytes: number): Promise<void>;
}

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    (facts) => facts.size,
    () => 0,
  );

export async function openAttemptLog(directory: string): Promise<AttemptLog> {
  const file = path.join(directory, 'log');
  const rotatedFile = path.join(directory, 'log.1');
  // Of the bytes that an earlier platform process dropped nobody holds an offset any more.
  let rotatedStart = 0;
  let start = await sizeOf(rotatedFile);
  let last: Promise<unknown> = Promise.resolve();
  /** A reader must not see the moment between copy and truncation. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };

  async function rotateNow(limitBytes: number): Promise<void> {
    const size = await sizeOf(file);
    if (size <= limitBytes) return;
    // Copied and truncated, not renamed: the process keeps its file open, and with O_APPEND its next line starts at zero. What is
    // printed between the copy and the truncation is lost, so what came during the copy is copied once more; the rest is
    // microseconds. A flood is cut to the limit, so that a hostile log costs at most twice the limit on the disk, and what it
    // prints in one rotation interval.
    const copied = await copyEnd(file, `${rotatedFile}.new`, limitBytes);
    await rename(`${rotatedFile}.new`, rotatedFile);
    await truncate(file, 0);
    rotatedStart = start + copied.from;
    start += copied.to;
  }

  async function readNow(offset: number, most: number) {
    const from = Math.max(offset, rotatedStart);
    if (from >= start) return { offset: from, bytes: await readAt(file, from - start, most) };
    const older = await readAt(rotatedFile, from - rotatedStart, Math.min(most, start - from));
    // Somebody deleted the older file: what is left begins after it.
    if (older.length < Math.min(most, start - from))
      return { offset: start, bytes: await readAt(file, 0, most) };
    const newer = await readAt(file, 0, most - older.length);
    return { offset: from, bytes: newer.length === 0 ? older : Buffer.concat([older, newer]) };
  }

  return {
    file,
    bounds: () => inTurn(async () => ({ start: rotatedStart, end: start + (await sizeOf(file)) })),
    read: (offset, most) => inTurn(() => readNow(offset, most)),
    rotate: (limitBytes) => inTurn(() => rotateNow(limitBytes)),
  };
}

/** Copies the last `most` bytes and whatever is added meanwhile; says which bytes of the file that were. */
async function copyEnd(from: string, to: string, most: number): Promise<{ from: number; to: number }> {
  const size = await sizeOf(from);
  const first = Math.max(0, size - most);
  if (first === 0) await copyFile(from, to, constants.COPYFILE_FICLONE);
  const source = await open(from, 'r');
  const target = await open(to, first === 0 ? 'r+' : 'w', 0o600);
  try {
    const buffer = Buffer.allocUnsafe(256 * 1024);
    let at = first === 0 ? await sizeOf(to) : first;
    const enough = size + most;
    while (at < enough) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, enough - at), at);
      if (bytesRead === 0) break;
      await target.write(buffer, 0, bytesRead, at - first);
      at += bytesRead;
    }
    return { from: first, to: at };
  } finally {
    await source.close();
    await target.close();
  }
}

async function readAt(file: string, position: number, most: number): Promise<Buffer> {
  if (most === 0) return Buffer.alloc(0);
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return Buffer.alloc(0);
  try {
    const buffer = Buffer.allocUnsafe(most);
    const { bytesRead } = await handle.read(buffer, 0, most, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

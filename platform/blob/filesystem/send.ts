import { addAbortListener } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { BlobBytes } from '../port.ts';

/** Large pieces: each costs a trip to another thread and a turn of the event loop. */
const pieceBytes = 512 * 1024;

/** Bytes of a file, both ends inclusive. */
export interface Source {
  readonly start: number;
  readonly end: number;
  open(): Promise<{ readonly handle: FileHandle; close(): Promise<void> }>;
}

/**
 * Sends what the content would give, which is destroyed. Two pieces of memory go round: one is read into while the other one is written; a stream
 * would take new memory for each piece, and the kernel's time for that is most of what a large file costs.
 */
export const sendInPlaceOf =
  (content: Readable, sources: readonly Source[]): NonNullable<BlobBytes['sendTo']> =>
  async (target, { signal }) => {
    try {
      await send(sources, target, signal);
    } finally {
      content.destroy();
    }
  };

async function send(sources: readonly Source[], target: Writable, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const given = Promise.withResolvers<never>();
  // Whoever waits hears of it; nobody may be waiting.
  given.promise.catch(() => undefined);
  using _ = addAbortListener(signal, () => given.reject(signal.reason));
  const most = Math.max(1, ...sources.map(({ start, end }) => end - start + 1));
  let [free, taken] = [0, 0].map(() => Buffer.allocUnsafeSlow(Math.min(pieceBytes, most))) as [
    Buffer,
    Buffer,
  ];
  let writing: Promise<void> = Promise.resolve();
  for (const { start, end, open } of sources) {
    const { handle, close } = await open();
    try {
      for (let at = start; at <= end; ) {
        signal.throwIfAborted();
        const { bytesRead } = await handle.read(free, 0, Math.min(free.length, end - at + 1), at);
        if (bytesRead === 0) throw new Error('A file is shorter than its record says.');
        at += bytesRead;
        await Promise.race([writing, given.promise]);
        writing = write(target, free.subarray(0, bytesRead));
        writing.catch(() => undefined);
        [free, taken] = [taken, free];
      }
    } finally {
      await close();
    }
  }
  await Promise.race([writing, given.promise]);
}

/** Resolves when the memory is free again: the target has handed it to the kernel. */
const write = (target: Writable, piece: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    target.write(piece, (error) => (error ? reject(error) : resolve()));
  });

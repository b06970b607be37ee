import { addAbortListener } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createDigests, type DigestAlgorithm, type Digests } from '../digests.ts';
import { blobCorrupt, blobTooLarge } from '../errors.ts';
import type { ContentOptions } from '../port.ts';
import { writeWhole } from './files.ts';

/** Chunks are written together once there is so much of them: a socket's are small, and each write costs a trip to another thread. */
const batchBytes = 1024 * 1024;
const batchChunks = 256;

/**
 * Streams the content to a new file and syncs it, hashing on the way. Rejects, the content destroyed and the file left to the caller, when
 * it breaks, is not what the options say, or the signal fires.
 */
export async function receive(
  content: Readable,
  file: string,
  key: string,
  options: ContentOptions,
  etags: DigestAlgorithm,
): Promise<{ size: number; etag: string }> {
  const { signal } = options;
  const digests = createDigests(algorithmsFor(options, etags));
  // It may be given up before anybody reads it; an error that nobody hears would end the process.
  content.on('error', () => undefined);
  using _ = addAbortListener(signal, () => content.destroy(signal.reason as Error));
  let finished = false;
  try {
    signal.throwIfAborted();
    const handle = await open(file, 'wx', 0o600);
    let size: number;
    try {
      size = await writeAll(content, handle, digests, key, options.maxBytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    finished = true;
    const sums = await digests.finish();
    checkContent(key, options, { ...sums, size });
    return { size, etag: sums[etags] ?? '' };
  } catch (error) {
    if (!finished) digests.abandon();
    content.destroy();
    throw signal.aborted ? signal.reason : error;
  }
}

export function algorithmsFor(options: ContentOptions, etags: DigestAlgorithm): ReadonlySet<DigestAlgorithm> {
  const algorithms = new Set([etags]);
  if (options.sha256 !== undefined) algorithms.add('sha256');
  if (options.md5 !== undefined) algorithms.add('md5');
  return algorithms;
}

/** Throws `blob_corrupt` for what is not as it was said to be. */
export function checkContent(
  key: string,
  said: ContentOptions,
  is: { readonly size: number; readonly sha256?: string; readonly md5?: string },
): void {
  check(key, 'size', said.size, is.size);
  check(key, 'SHA-256', said.sha256, is.sha256);
  check(key, 'MD5', said.md5, is.md5);
}

function check(key: string, what: string, expected: unknown, actual: unknown): void {
  if (expected !== undefined && expected !== actual) throw blobCorrupt(key, what, expected, actual);
}

/** One batch is written while the next one is gathered: two of them are all that is held. */
async function writeAll(
  content: Readable,
  handle: FileHandle,
  digests: Digests,
  key: string,
  maxBytes: number | undefined,
): Promise<number> {
  let size = 0;
  let batch: Buffer[] = [];
  let gathered = 0;
  let writing: Promise<unknown> = Promise.resolve();
  const flush = async () => {
    await writing;
    const full = batch;
    if (full.length > 0) writing = writeWhole(handle, full, size - gathered);
    // Waited for above or at the end; without this a failure in between would end the process.
    writing.catch(() => undefined);
    batch = [];
    gathered = 0;
  };
  try {
    for await (const piece of content) {
      const chunk = Buffer.isBuffer(piece) ? piece : Buffer.from(piece as string | Uint8Array);
      size += chunk.length;
      gathered += chunk.length;
      if (maxBytes !== undefined && size > maxBytes) throw blobTooLarge(key, maxBytes);
      batch.push(chunk);
      await digests.update(chunk);
      if (gathered >= batchBytes || batch.length === batchChunks) await flush();
    }
    await flush();
  } finally {
    await writing.catch(() => undefined);
  }
  await writing;
  return size;
}

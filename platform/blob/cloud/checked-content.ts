import { addAbortListener } from 'node:events';
import { Readable } from 'node:stream';
import { checkContent } from '../check-content.ts';
import { createDigests, type DigestAlgorithm } from '../digests.ts';
import { blobCorrupt, blobTooLarge } from '../errors.ts';
import type { ContentOptions } from '../port.ts';

export interface Sums {
  readonly size: number;
  /** Lower-case hex. */
  readonly md5?: string;
}

/**
 * The content as it goes on to a store, which must not keep it unless it is what the options say: the last piece is held back until that is
 * known, and the stream breaks instead when it is not.
 */
export async function* checkedContent(
  content: Readable,
  key: string,
  options: ContentOptions,
  more: { md5: boolean; tell: (sums: Sums) => void },
): AsyncGenerator<Buffer> {
  const digests = createDigests(algorithmsFor(options, more.md5));
  let size = 0;
  let held: Buffer | undefined;
  for await (const piece of content) {
    const chunk = Buffer.isBuffer(piece) ? piece : Buffer.from(piece as string | Uint8Array);
    if (chunk.length === 0) continue;
    size += chunk.length;
    if (options.maxBytes !== undefined && size > options.maxBytes) throw blobTooLarge(key, options.maxBytes);
    if (options.size !== undefined && size > options.size)
      throw blobCorrupt(key, 'size', options.size, `${size} or more`);
    digests.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  const sums = digests.sums();
  checkContent(key, options, { ...sums, size });
  more.tell(sums.md5 === undefined ? { size } : { size, md5: sums.md5 });
  if (held !== undefined) yield held;
}

function algorithmsFor(options: ContentOptions, md5: boolean): ReadonlySet<DigestAlgorithm> {
  const algorithms = new Set<DigestAlgorithm>();
  if (options.sha256 !== undefined) algorithms.add('sha256');
  if (md5 || options.md5 !== undefined) algorithms.add('md5');
  return algorithms;
}

/** Not the store's failure: its cause is the caller's own error, and goes back as it is. */
export class ContentBroken extends Error {
  constructor(cause: unknown) {
    super('The content broke.', { cause });
  }
}

/** What to tell of an error of `sendStream`, the store's own as `say` puts it. */
export const failureOfSending = (error: unknown, say: (error: unknown) => unknown): unknown =>
  error instanceof ContentBroken ? error.cause : say(error);

/**
 * Gives `send` the pieces as a stream and a signal that fires when they break: the clients of the stores would wait for the rest for ever.
 * The content is destroyed when it rejects, with `ContentBroken` when it was the content that broke.
 */
export async function sendStream<T>(
  content: Readable,
  pieces: AsyncGenerator<Buffer>,
  signal: AbortSignal,
  send: (body: Readable, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const broken = new AbortController();
  const body = Readable.from(pieces, { objectMode: false });
  body.once('error', (error) => broken.abort(error));
  using _ = addAbortListener(signal, () => content.destroy(signal.reason as Error));
  try {
    signal.throwIfAborted();
    return await send(body, AbortSignal.any([signal, broken.signal]));
  } catch (error) {
    content.destroy();
    body.destroy();
    if (signal.aborted) throw signal.reason;
    throw broken.signal.aborted ? new ContentBroken(broken.signal.reason) : error;
  }
}

/** The pieces in blocks of just `sizeOf(n)` bytes, the last one shorter; at least one, which may be empty. */
export async function* inBlocks(
  pieces: AsyncIterable<Buffer>,
  sizeOf: (block: number) => number,
): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = [];
  let length = 0;
  let block = 0;
  for await (const piece of pieces) {
    gathered.push(piece);
    length += piece.length;
    while (length > sizeOf(block)) {
      const all = Buffer.concat(gathered);
      yield all.subarray(0, sizeOf(block));
      gathered = [all.subarray(sizeOf(block))];
      length -= sizeOf(block);
      block += 1;
    }
  }
  yield Buffer.concat(gathered);
}

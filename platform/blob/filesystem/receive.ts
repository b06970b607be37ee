import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { checkContent } from '../check-content.ts';
import type { DigestAlgorithm } from '../digests.ts';
import { blobCorrupt, blobTooLarge } from '../errors.ts';
import type { ContentOptions } from '../port.ts';
import type { NewFile } from './disk/disk.ts';
import type { Folders } from './folders.ts';

/** Pieces are written together once there is so much of them: a socket's are small, and each write costs a trip to another thread. */
const batchBytes = 1024 * 1024;

/**
 * Streams the content to a new file and syncs it, hashing on the way. Rejects, the content destroyed and the file left to the caller, when
 * it breaks, is not what the options say, or the signal fires.
 */
export async function receive(
  { disk, etags }: Pick<Folders, 'disk' | 'etags'>,
  content: Readable,
  file: string,
  key: string,
  options: ContentOptions,
): Promise<{ size: number; etag: string }> {
  const { signal } = options;
  // It may be given up before anybody reads it; an error that nobody hears would end the process.
  content.on('error', () => undefined);
  let unfinished: NewFile | undefined;
  try {
    signal.throwIfAborted();
    unfinished = await disk.create(file, [...algorithmsFor(options, etags)]);
    const batches = new Batches(unfinished, key, options);
    await pipeline(content, batches, { signal });
    const sums = await unfinished.finish();
    signal.throwIfAborted();
    checkContent(key, options, { ...sums, size: batches.size });
    return { size: batches.size, etag: sums[etags] ?? '' };
  } catch (error) {
    content.destroy();
    await unfinished?.abandon().catch(() => undefined);
    throw signal.aborted ? signal.reason : error;
  }
}

function algorithmsFor(options: ContentOptions, etags: DigestAlgorithm): ReadonlySet<DigestAlgorithm> {
  const algorithms = new Set([etags]);
  if (options.sha256 !== undefined) algorithms.add('sha256');
  if (options.md5 !== undefined) algorithms.add('md5');
  return algorithms;
}

const unknown = Number.MAX_SAFE_INTEGER;

/** One batch is hashed and written while the next one is filled: two of them are all that is held. */
class Batches extends Writable {
  size = 0;
  readonly #file: NewFile;
  readonly #key: string;
  readonly #said: number;
  readonly #maxBytes: number;
  #batch: Buffer;
  #filled = 0;
  /** The other one, when what was in it is written. */
  #other: Promise<Buffer>;

  constructor(file: NewFile, key: string, { size = unknown, maxBytes = unknown }: ContentOptions) {
    super({ highWaterMark: 256 * 1024 });
    const bytes = Math.min(size, batchBytes);
    this.#file = file;
    this.#key = key;
    this.#said = size;
    this.#maxBytes = maxBytes;
    this.#batch = Buffer.allocUnsafeSlow(bytes);
    this.#other = Promise.resolve(Buffer.allocUnsafeSlow(size > bytes ? bytes : 0));
  }

  override _write(piece: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.size += piece.length;
    const error = this.#refusal();
    const taken = error === undefined ? this.#take(piece, 0) : 0;
    if (error !== undefined || taken === piece.length) done(error);
    else this.#writeRest(piece, taken).then(() => done(), done);
  }

  #refusal(): Error | undefined {
    if (this.size > this.#maxBytes) return blobTooLarge(this.#key, this.#maxBytes);
    return this.size > this.#said ? blobCorrupt(this.#key, 'size', this.#said, this.size) : undefined;
  }

  override _final(done: (error?: Error) => void): void {
    this.#flush()
      .then(() => this.#other)
      .then(() => done(), done);
  }

  #take(piece: Buffer, from: number): number {
    const taken = piece.copy(this.#batch, this.#filled, from);
    this.#filled += taken;
    return taken;
  }

  async #writeRest(piece: Buffer, from: number): Promise<void> {
    for (let taken = from; taken < piece.length; ) {
      await this.#flush();
      taken += this.#take(piece, taken);
    }
  }

  async #flush(): Promise<void> {
    const next = await this.#other;
    this.#other = this.#file.write(this.#batch, this.#filled);
    // Waited for by whoever needs it next; without this a failure in between would end the process.
    this.#other.catch(() => undefined);
    [this.#batch, this.#filled] = [next, 0];
  }
}

import { Transform, type TransformCallback, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32, createInflateRaw, inflateRaw } from 'node:zlib';
import { bundleInvalid } from './problems.ts';
import type { ZipReader } from './zip-reader.ts';

export interface InflatedEntry {
  readonly path: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** Of the packed bytes; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  /** Unpacked, as declared; true after `verifyContent`. */
  readonly size: number;
  readonly crc32: number;
}

/** Below this a file is unpacked in one call, which is ten times quicker than a stream. */
const smallBytes = 512 * 1024;
const inflate = promisify(inflateRaw);

/** Unpacks the file to nowhere: its size and checksum must be the declared ones, not a byte more is ever made. */
export async function verifyContent(
  zip: ZipReader,
  entry: InflatedEntry,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (entry.size <= smallBytes && entry.end - entry.start <= smallBytes) {
    await readContent(zip, entry);
    return;
  }
  const meter = new Meter(entry);
  const source = zip.stream(entry.start, entry.end);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (entry.method === 0) await pipeline(source, meter, nowhere, { signal });
  else await pipeline(source, createInflateRaw({ chunkSize: 256 * 1024 }), meter, nowhere, { signal });
}

/** The whole file in memory: the caller has looked at `size` first. */
export async function readContent(zip: ZipReader, entry: InflatedEntry): Promise<Buffer> {
  const packed = await zip.bytes(entry.start, entry.end - entry.start);
  const content = entry.method === 0 ? packed : await inflateAtMost(packed, entry);
  checkTruth(entry, content.length, crc32(content));
  return content;
}

async function inflateAtMost(packed: Buffer, entry: InflatedEntry): Promise<Buffer> {
  try {
    return await inflate(packed, { maxOutputLength: Math.max(entry.size, 1) });
  } catch (error) {
    if (error instanceof RangeError) throw lied(entry);
    throw error;
  }
}

class Meter extends Transform {
  private size = 0;
  private checksum = 0;
  private readonly entry: InflatedEntry;

  constructor(entry: InflatedEntry) {
    super();
    this.entry = entry;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.size += chunk.length;
    this.checksum = crc32(chunk, this.checksum);
    done(this.size > this.entry.size ? lied(this.entry) : null, chunk);
  }

  override _flush(done: TransformCallback): void {
    try {
      checkTruth(this.entry, this.size, this.checksum);
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}

function checkTruth(entry: InflatedEntry, size: number, checksum: number): void {
  if (size !== entry.size) throw lied(entry);
  if (checksum !== entry.crc32)
    throw bundleInvalid(entry.path, 'Its checksum is wrong: the zip is damaged.', 'Make the bundle again.');
}

const lied = (entry: InflatedEntry) =>
  bundleInvalid(
    entry.path,
    `It does not unpack to the ${entry.size} bytes it declares.`,
    'Make the bundle again.',
  );

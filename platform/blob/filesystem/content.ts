import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { checkRange } from '../errors.ts';
import type { Blob, BlobBytes, ByteRange } from '../port.ts';
import { ifThere } from './files.ts';
import type { Folders } from './folders.ts';
import { placeOf } from './key-path.ts';
import { type PartFile, readPartList } from './part-list.ts';
import { readRecordAndContent } from './read-record.ts';
import type { Reading } from './readers.ts';
import { type BlobRecord, infoOf, versionPath } from './record.ts';
import { sendInPlaceOf } from './send.ts';

/** Larger than the default: fewer trips to another thread. */
const highWaterMark = 256 * 1024;

export async function getBlob(
  folders: Folders,
  key: string,
  options: { range?: ByteRange; signal: AbortSignal },
): Promise<Blob | undefined> {
  const place = placeOf(folders.objects, key);
  for (let attempt = 1; ; attempt += 1) {
    options.signal.throwIfAborted();
    const read = await readRecordAndContent(folders.disk, place);
    if (read === undefined) return undefined;
    const { record } = read;
    const range = checkRange(key, record.size, options.range);
    if (read.content !== undefined) {
      const bytes = range === undefined ? read.content : read.content.subarray(range.start, range.end + 1);
      return { info: infoOf(record), content: streamOf(bytes), bytes };
    }
    const at = versionPath(place, record.version);
    const found = record.inParts
      ? await openParts(folders, at, range, options.signal)
      : await openFile(at, record.size, range, options.signal);
    if (found !== undefined) {
      // Who gives up before anybody reads ends it with an error; one that nobody hears would end the process.
      found.content.on('error', () => undefined);
      return { info: infoOf(record), ...found };
    }
    // It was overwritten between the two reads: read the new record. That this happens often in a row means lost bytes.
    if (attempt === 20) throw bytesMissing(record, at);
  }
}

const streamOf = (bytes: Buffer): Readable =>
  new Readable({
    read() {
      if (bytes.length > 0) this.push(bytes);
      this.push(null);
    },
  });

export const bytesMissing = (record: BlobRecord, at: string): Error =>
  new Error(`The bytes of the blob "${record.key}" are missing: ${at}`);

interface Range {
  readonly start: number;
  readonly end: number;
}

/** An open file stays whole when the blob is overwritten or deleted meanwhile. */
async function openFile(
  file: string,
  size: number,
  range: Range | undefined,
  signal: AbortSignal,
): Promise<BlobBytes | undefined> {
  const handle = await ifThere(open(file, 'r'));
  if (handle === undefined) return undefined;
  const content = handle.createReadStream({ ...range, highWaterMark, autoClose: true, signal });
  const { start, end } = range ?? { start: 0, end: size - 1 };
  return {
    content,
    // It is closed with its stream.
    sendTo: sendInPlaceOf(content, [{ start, end, open: async () => ({ handle, close: async () => {} }) }]),
  };
}

async function openParts(
  folders: Folders,
  directory: string,
  range: Range | undefined,
  signal: AbortSignal,
): Promise<BlobBytes | undefined> {
  const reading = folders.readers.enter(directory);
  const parts = await readPartList(directory).catch((error: unknown) => {
    reading.leave();
    throw error;
  });
  if (parts === undefined) {
    reading.leave();
    return undefined;
  }
  const slices = slicesOf(parts, range);
  const content = Readable.from(readSlices(reading, slices), {
    objectMode: false,
    highWaterMark,
    signal,
  });
  // Also when it is destroyed before anything was read of it, and `readSlices` never began.
  content.once('close', () => reading.leave());
  const sources = slices.map(({ file, start, end }) => {
    const openSource = async () => {
      const handle = await openIn(reading, file);
      return { handle, close: () => handle.close() };
    };
    return { start, end, open: openSource };
  });
  return { content, sendTo: sendInPlaceOf(content, sources) };
}

interface Slice {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** Of each file the bytes that the range covers, both ends inclusive. */
function slicesOf(parts: readonly PartFile[], range: Range | undefined): Slice[] {
  const slices: Slice[] = [];
  let offset = 0;
  for (const { file, size } of parts) {
    const start = Math.max(0, (range?.start ?? 0) - offset);
    const end = Math.min(size - 1, (range?.end ?? Number.MAX_SAFE_INTEGER) - offset);
    if (start <= end) slices.push({ file, start, end });
    offset += size;
  }
  return slices;
}

async function* readSlices(reading: Reading, slices: readonly Slice[]): AsyncGenerator<Buffer> {
  for (const { file, start, end } of slices) {
    const handle = await openIn(reading, file);
    yield* handle.createReadStream({ start, end, highWaterMark, autoClose: true });
  }
}

async function openIn(reading: Reading, file: string): Promise<FileHandle> {
  for (let i = 0; i < reading.places.length; i += 1) {
    const handle = await ifThere(open(path.join(reading.places[i] ?? '', file), 'r'));
    if (handle !== undefined) return handle;
  }
  throw new Error(`A part is missing: ${path.join(reading.places[0] ?? '', file)}`);
}

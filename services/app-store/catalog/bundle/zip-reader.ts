import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import yauzl from 'yauzl';

/** yauzl 3 as we use it: names raw, entries one by one. (The published types are of version 2.) */
export interface ZipEntry {
  readonly fileNameRaw: Buffer;
  readonly extraFields: readonly { id: number; data: Buffer }[];
  readonly versionMadeBy: number;
  readonly generalPurposeBitFlag: number;
  readonly compressionMethod: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly externalFileAttributes: number;
  readonly relativeOffsetOfLocalHeader: number;
}

export interface LocalHeader {
  readonly fileDataStart: number;
  readonly generalPurposeBitFlag: number;
  readonly compressionMethod: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly fileName: Buffer;
  readonly extraField: Buffer;
}

interface YauzlFile {
  readonly entryCount: number;
  readonly comment: Buffer;
  readonly fileSize: number;
  /** Where the next central header starts. */
  readonly readEntryCursor: number;
  eachEntry(): AsyncIterable<ZipEntry>;
  readLocalFileHeaderPromise(entry: ZipEntry): Promise<LocalHeader>;
  close(): void;
}

export interface ZipReader {
  readonly size: number;
  readonly entryCount: number;
  readonly commentLength: number;
  readonly directoryStart: number;
  /** In the order of the central directory; once. */
  entries(): AsyncIterable<ZipEntry>;
  /** Where the central directory ended, after `entries` was read to its end. */
  directoryEnd(): number;
  localHeader(entry: ZipEntry): Promise<LocalHeader>;
  /** Bytes of the archive itself. */
  bytes(start: number, length: number): Promise<Buffer>;
  stream(start: number, end: number): Readable;
  close(): Promise<void>;
}

/** Serves yauzl's many small reads from one window, so that 50,000 entries are not 100,000 system calls. */
class WindowReader extends yauzl.RandomAccessReader {
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;
  private readonly readAt: (start: number, length: number) => Promise<Buffer>;
  private readonly onThrow: (error: unknown) => void;

  constructor(readAt: (start: number, length: number) => Promise<Buffer>, onThrow: (error: unknown) => void) {
    super();
    this.readAt = readAt;
    this.onThrow = onThrow;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.fill(position, length)
      .then(
        () => {
          const from = position - this.windowStart;
          callback(null, this.window.copy(buffer, offset, from, from + length));
        },
        (error: Error) => callback(error, 0),
      )
      .catch(this.onThrow);
  }

  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }

  private async fill(position: number, length: number): Promise<void> {
    const end = this.windowStart + this.window.length;
    if (position >= this.windowStart && position + length <= end) return;
    this.window = await this.readAt(position, Math.max(length, 64 * 1024));
    this.windowStart = position;
  }
}

/** Throws yauzl's own Error when the file's end is not that of a zip. */
export async function openZip(file: string): Promise<ZipReader> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const bytes = async (start: number, length: number) => {
      if (!Number.isSafeInteger(start) || start < 0 || start > size)
        throw new Error(`offset ${start} is not in the file`);
      const buffer = Buffer.alloc(Math.min(length, size - start));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
      return buffer.subarray(0, bytesRead);
    };
    const stream = (start: number, end: number) =>
      end <= start
        ? Readable.from([])
        : handle.createReadStream({ start, end: end - 1, autoClose: false, highWaterMark: 256 * 1024 });
    // What yauzl throws inside its own callbacks reaches nobody; whoever waits must learn of it.
    const thrown = Promise.withResolvers<never>();
    thrown.promise.catch(() => undefined);
    const orThrown = <T>(work: Promise<T>): Promise<T> => Promise.race([work, thrown.promise]);
    const zip = await orThrown(openYauzl(new WindowReader(bytes, thrown.reject), size));
    return {
      size,
      entryCount: zip.entryCount,
      commentLength: zip.comment.length,
      directoryStart: zip.readEntryCursor,
      entries: () => eachEntry(zip, orThrown),
      directoryEnd: () => zip.readEntryCursor,
      localHeader: (entry) => orThrown(zip.readLocalFileHeaderPromise(entry)),
      bytes,
      stream,
      close: async () => {
        zip.close();
        await handle.close();
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function* eachEntry(
  zip: YauzlFile,
  orThrown: <T>(work: Promise<T>) => Promise<T>,
): AsyncGenerator<ZipEntry> {
  const entries = zip.eachEntry()[Symbol.asyncIterator]();
  for (;;) {
    const next = await orThrown(entries.next());
    if (next.done) return;
    yield next.value;
  }
}

const openYauzl = (reader: yauzl.RandomAccessReader, size: number): Promise<YauzlFile> =>
  new Promise((resolve, reject) => {
    yauzl.fromRandomAccessReader(
      reader,
      size,
      { lazyEntries: true, decodeStrings: false, validateEntrySizes: true, autoClose: false },
      // The published types are of version 2; see YauzlFile.
      (error, zip) => (error === null ? resolve(zip as unknown as YauzlFile) : reject(error)),
    );
  });

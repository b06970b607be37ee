import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Entry, open, type ZipFile } from 'yauzl';
import { LaunchFailure } from './failure.ts';

/** The store checked the bundle at its import; this is the second lock on the same door, where the files touch a disk. */
export interface UnzipLimits {
  readonly entries: number;
  readonly bytes: number;
}

export const unzipLimits: UnzipLimits = { entries: 100_000, bytes: 8 * 2 ** 30 };

export interface Unpacked {
  readonly files: number;
  readonly bytes: number;
  /** Date of the newest file, YYYY-MM-DD as the archive says it; empty without files. */
  readonly newest: string;
}

/** Unpacks `archive` into the existing, empty `target`. Throws LaunchFailure for an archive that is broken or not safe. */
export async function unzip(
  archive: string,
  target: string,
  options: { signal: AbortSignal; limits?: UnzipLimits },
): Promise<Unpacked> {
  const limits = options.limits ?? unzipLimits;
  let zip: ZipFile | undefined;
  let files = 0;
  let bytes = 0;
  let newest = '';
  try {
    zip = await openArchive(archive);
    if (zip.entryCount > limits.entries)
      throw new LaunchFailure(`The bundle has ${zip.entryCount} entries; ${limits.entries} are allowed.`);
    for await (const entry of entriesOf(zip)) {
      options.signal.throwIfAborted();
      if (isLitter(entry.fileName)) continue;
      const file = destinationOf(entry, target);
      if (entry.fileName.endsWith('/')) {
        await mkdir(file, { recursive: true });
        continue;
      }
      bytes += entry.uncompressedSize;
      if (bytes > limits.bytes) throw new LaunchFailure('The bundle is too large when unpacked.');
      await mkdir(path.dirname(file), { recursive: true });
      // yauzl stops a stream that gives more than its entry declares; `wx` refuses a second entry of the same name.
      const output = createWriteStream(file, { flags: 'wx', mode: isExecutable(entry) ? 0o755 : 0o644 });
      await pipeline(await contentOf(zip, entry), output, { signal: options.signal });
      files += 1;
      const date = dateOf(entry);
      if (date > newest) newest = date;
    }
    return { files, bytes, newest };
  } catch (error) {
    throw asFailure(error, options.signal);
  } finally {
    zip?.close();
  }
}

function asFailure(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof LaunchFailure || signal.aborted) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new LaunchFailure(
      'The disk is full: the bundle could not be unpacked. Free some space and try again.',
      [],
      error,
    );
  if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR')
    return new LaunchFailure(`The bundle holds two entries of the same name (${message}).`, [], error);
  return new LaunchFailure(`The bundle is damaged or not a zip archive (${message}).`, [], error);
}

/** What macOS adds to every archive. */
const isLitter = (name: string) =>
  name.startsWith('__MACOSX/') || name === '.DS_Store' || name.endsWith('/.DS_Store');

function destinationOf(entry: Entry, target: string): string {
  const name = entry.fileName;
  const refuse = (why: string) =>
    new LaunchFailure(
      `The bundle holds an entry that is not allowed: ${JSON.stringify(name.slice(0, 200))} ${why}.`,
    );
  const parts = name.split('/');
  if (
    name === '' ||
    name.startsWith('/') ||
    /^[A-Za-z]:/.test(name) ||
    parts.includes('..') ||
    parts.includes('.')
  )
    throw refuse('points outside of the bundle');
  if (/[\0\\]/.test(name)) throw refuse('has a character that is not allowed');
  const type = (entry.externalFileAttributes >>> 16) & 0o170000;
  // Zero where the archive was made on a system without Unix modes.
  if (type !== 0 && type !== 0o100000 && type !== 0o040000) throw refuse('is a link or a device');
  const destination = path.resolve(target, name);
  if (destination !== target && !destination.startsWith(`${target}${path.sep}`))
    throw refuse('points outside of the bundle');
  return destination;
}

/** Of the field that every entry has: years from 1980 in 7 bits, month in 4, day in 5. What is no date becomes one near by. */
const dateOf = ({ lastModFileDate: date }: Entry): string =>
  new Date(Date.UTC((date >>> 9) + 1980, ((date >>> 5) & 15) - 1, date & 31)).toISOString().slice(0, 10);

const isExecutable = (entry: Entry) => ((entry.externalFileAttributes >>> 16) & 0o111) !== 0;

function openArchive(archive: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    const options = { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true };
    open(archive, options, (error, zip) => (error ? reject(error) : resolve(zip)));
  });
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const done = (settle: () => void) => {
        zip.removeAllListeners();
        settle();
      };
      zip.once('entry', (next: Entry) => done(() => resolve(next)));
      zip.once('end', () => done(() => resolve(undefined)));
      zip.once('error', (error: Error) => done(() => reject(error)));
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}

function contentOf(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}

import path from 'node:path';
import type { BlobEntry, BlobInfo } from '../port.ts';
import { readBeginning } from './files.ts';
import { type KeyPlace, recordSuffix } from './key-path.ts';

/**
 * The first line of the file `<name>@.json`, as JSON; in files of the first releases all of it is, on several lines. Renaming the file into
 * place is the moment at which a put has happened.
 */
export interface BlobRecord {
  readonly key: string;
  /** Names what holds the bytes: `<name>@<version>`, a file, or a folder of them. Of a blob `within` only a name. */
  readonly version: string;
  readonly size: number;
  readonly contentType: string;
  readonly etag?: string;
  /** In records of the first releases: the etag. */
  readonly sha256?: string;
  readonly modifiedAt: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** It is small: its bytes are what comes after the record's line. */
  readonly within?: true;
  /** It came in parts and stays so: the version is a folder, with a list of them in `parts.json`. */
  readonly inParts?: true;
  /** The upload that made it, so that completing it again is answered. */
  readonly uploadId?: string;
}

export const recordPath = (place: KeyPlace): string => path.join(place.directory, place.name + recordSuffix);
export const versionPath = (place: KeyPlace, version: string): string =>
  path.join(place.directory, `${place.name}@${version}`);

export const readRecord = (place: KeyPlace): Promise<BlobRecord | undefined> =>
  readRecordFile(recordPath(place));

/** A record is smaller, unless there is much metadata. */
const recordBytes = 4 * 1024;
/** Of blobs up to this size one read brings all. */
const smallBytes = 64 * 1024;

export async function readRecordFile(file: string): Promise<BlobRecord | undefined> {
  const read = await readBeginning(file, recordBytes, (beginning) =>
    lineEnd(beginning) === -1 ? Number.MAX_SAFE_INTEGER : 0,
  );
  return read === undefined ? undefined : parse(read);
}

/** Also the content, of a blob that has it within. */
export async function readRecordAndContent(
  place: KeyPlace,
): Promise<{ record: BlobRecord; content: Buffer | undefined } | undefined> {
  const file = recordPath(place);
  const read = await readBeginning(file, recordBytes + smallBytes, (beginning) => {
    const end = lineEnd(beginning);
    if (end === -1) return Number.MAX_SAFE_INTEGER;
    const { within, size } = parse(beginning);
    return within ? end + 1 + size : 0;
  });
  if (read === undefined) return undefined;
  const record = parse(read);
  if (!record.within) return { record, content: undefined };
  const content = read.subarray(lineEnd(read) + 1);
  if (content.length !== record.size) throw new Error(`The blob "${record.key}" is cut short: ${file}`);
  return { record, content };
}

/** What `readRecordFile` and `readRecordAndContent` read. */
export const recordLine = (record: BlobRecord): string => `${JSON.stringify(record)}\n`;

const newline = 10;
/** Where the record's line ends; -1: not yet, or never, since the record has several. */
const lineEnd = (beginning: Buffer): number => (beginning[1] === newline ? -1 : beginning.indexOf(newline));

function parse(read: Buffer): BlobRecord {
  const end = lineEnd(read);
  return JSON.parse(read.toString('utf8', 0, end === -1 ? read.length : end)) as BlobRecord;
}

export const etagOf = (record: BlobRecord): string => record.etag ?? record.sha256 ?? '';

export const infoOf = (record: BlobRecord): BlobInfo => ({
  ...entryOf(record),
  contentType: record.contentType,
  metadata: record.metadata,
});

export const entryOf = (record: BlobRecord): BlobEntry => ({
  key: record.key,
  size: record.size,
  etag: etagOf(record),
  modifiedAt: new Date(record.modifiedAt),
});

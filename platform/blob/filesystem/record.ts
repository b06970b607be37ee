import path from 'node:path';
import type { BlobEntry, BlobInfo } from '../port.ts';
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

/** What `parseRecord` reads. */
export const recordLine = (record: BlobRecord): string => `${JSON.stringify(record)}\n`;

/** Of the beginning of a record's file, in which its whole line is. */
export function parseRecord(beginning: Buffer): BlobRecord {
  const start = contentStart(beginning);
  const line = beginning.toString('utf8', 0, start ?? beginning.length);
  return JSON.parse(line) as BlobRecord;
}

const newline = 10;

/** Where the line has ended and the content begins. Undefined: not yet, or never, since the record has several lines. */
export function contentStart(beginning: Buffer): number | undefined {
  const end = beginning[1] === newline ? -1 : beginning.indexOf(newline);
  return end === -1 ? undefined : end + 1;
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

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BlobInfo } from '../port.ts';
import { ifThere } from './files.ts';
import { type KeyPlace, recordSuffix } from './key-path.ts';

/** The JSON beside the bytes. Renaming it into place is the moment at which a put has happened. */
export interface BlobRecord {
  readonly key: string;
  /** Names the file with the bytes: `<name>@<version>`. */
  readonly version: string;
  readonly size: number;
  readonly contentType: string;
  /** Of the content, lower-case hex; also the etag. */
  readonly sha256: string;
  readonly modifiedAt: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export const recordPath = (place: KeyPlace): string => path.join(place.directory, place.name + recordSuffix);
export const versionPath = (place: KeyPlace, version: string): string =>
  path.join(place.directory, `${place.name}@${version}`);

export async function readRecord(place: KeyPlace): Promise<BlobRecord | undefined> {
  const text = await ifThere(readFile(recordPath(place), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as BlobRecord);
}

export const infoOf = (record: BlobRecord): BlobInfo => ({
  key: record.key,
  size: record.size,
  contentType: record.contentType,
  etag: record.sha256,
  modifiedAt: new Date(record.modifiedAt),
  metadata: record.metadata,
});

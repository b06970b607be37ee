import type { Disk } from './disk/disk.ts';
import type { KeyPlace } from './key-path.ts';
import { type BlobRecord, contentStart, parseRecord, recordPath } from './record.ts';

export const readRecord = (disk: Disk, place: KeyPlace): Promise<BlobRecord | undefined> =>
  readRecordFile(disk, recordPath(place));

export async function readRecordFile(disk: Disk, file: string): Promise<BlobRecord | undefined> {
  const beginning = await disk.readRecord(file);
  return beginning === undefined ? undefined : parseRecord(beginning);
}

/** Also the content, of a blob that has it within. */
export async function readRecordAndContent(
  disk: Disk,
  place: KeyPlace,
): Promise<{ record: BlobRecord; content: Buffer | undefined } | undefined> {
  const file = recordPath(place);
  const read = await disk.readRecordAndContent(file);
  if (read === undefined) return undefined;
  const record = parseRecord(read);
  if (!record.within) return { record, content: undefined };
  const content = read.subarray(contentStart(read));
  if (content.length !== record.size) throw new Error(`The blob "${record.key}" is cut short: ${file}`);
  return { record, content };
}

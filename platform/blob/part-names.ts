import { randomBytes } from 'node:crypto';

/** A part as a file or an object of an upload. Its name says everything about it, so that it is there whole or not at all. */
export interface StoredPart {
  readonly file: string;
  readonly partNumber: number;
  /** Microseconds since 1970, never the same twice in a process: of two parts with one number the later one counts. */
  readonly sequence: number;
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: Date;
}

let lastSequence = 0;

/** In five digits. */
export const numberInName = (partNumber: number): string => String(partNumber).padStart(5, '0');

/** `<number>.<sequence>.<random>`, the number in five digits: sorted by name they are in order. Always as long. */
export function newPartStem(partNumber: number): string {
  lastSequence = Math.max(lastSequence + 1, Date.now() * 1000);
  return `${numberInName(partNumber)}.${lastSequence}.${randomBytes(4).toString('hex')}`;
}

/** `<stem>.<size>.<etag>` */
export function partNamed(stem: string, { size, etag }: { size: number; etag: string }): StoredPart {
  const part = readPartName(`${stem}.${size}.${etag}`);
  if (part === undefined) throw new Error(`No name of a part: ${stem}.${size}.${etag}`);
  return part;
}

export const stemOf = (part: StoredPart): string => part.file.split('.').slice(0, 3).join('.');

/** Undefined for a name that is not of a part. */
export function readPartName(file: string): StoredPart | undefined {
  const [, number, sequence, size, etag] = /^(\d{5})\.(\d+)\.[0-9a-f]+\.(\d+)\.([0-9a-f]+)$/.exec(file) ?? [];
  if (number === undefined || etag === undefined) return undefined;
  return {
    file,
    partNumber: Number(number),
    sequence: Number(sequence),
    size: Number(size),
    etag,
    modifiedAt: new Date(Math.floor(Number(sequence) / 1000)),
  };
}

/** By number; of one that was sent again the newest. */
export const newestParts = (parts: readonly StoredPart[]): Map<number, StoredPart> =>
  new Map([...parts].sort((a, b) => a.sequence - b.sequence).map((part) => [part.partNumber, part]));

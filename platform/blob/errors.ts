import { conflict, HaicError, invalid, tooLarge } from '@haic/kit/errors.ts';
import type { ByteRange } from './port.ts';

export const blobExists = (key: string): HaicError =>
  conflict('blob_exists', `There is a blob with the key "${key}" already.`);

export const blobChanged = (key: string): HaicError =>
  new HaicError('blob_changed', 412, `"${key}" is not there, or has changed since you read it.`);

export const blobTooLarge = (key: string, maxBytes: number): HaicError =>
  tooLarge('blob_too_large', `"${key}" is larger than the allowed ${maxBytes} bytes.`);

export const blobCorrupt = (key: string, what: string, expected: unknown, actual: unknown): HaicError =>
  invalid('blob_corrupt', `"${key}" did not arrive whole: its ${what} is ${actual}.`, {
    details: { expected, actual },
  });

export const rangeNotSatisfiable = (key: string): HaicError =>
  new HaicError('range_not_satisfiable', 416, `The range asked for is not in "${key}".`);

export const noSuchUpload = (uploadId: string): HaicError =>
  new HaicError(
    'no_such_upload',
    404,
    `There is no upload "${uploadId}" of this key; it ended or never began.`,
  );

/** Without a number where the store does not say which. */
export const invalidPart = (partNumber?: number): HaicError =>
  invalid(
    'invalid_part',
    `${partNumber === undefined ? 'A part' : `Part ${partNumber}`} was not sent, or has another etag than the one given.`,
  );

export const invalidPartNumber = (partNumber: number): HaicError =>
  invalid('invalid_part', `A part has a number from 1 to ${maxPartNumber}, not ${partNumber}.`);

export const invalidPartOrder = (): HaicError =>
  invalid('invalid_part_order', 'Give at least one part, and parts by ascending numbers.');

export const partTooSmall = (): HaicError =>
  invalid('part_too_small', 'Each part but the last must have 5 MiB or more.');

export const maxPartNumber = 10_000;

export function checkPartNumber(partNumber: number): void {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > maxPartNumber)
    throw invalidPartNumber(partNumber);
}

export function checkPartOrder(parts: readonly { partNumber: number }[]): void {
  if (parts.length === 0) throw invalidPartOrder();
  parts.forEach((part, index) => {
    checkPartNumber(part.partNumber);
    const before = parts[index - 1];
    if (before !== undefined && before.partNumber >= part.partNumber) throw invalidPartOrder();
  });
}

/** The range clipped to the size; throws `range_not_satisfiable` (416). Without a range the whole. */
export function checkRange(
  key: string,
  size: number,
  range: ByteRange | undefined,
): { start: number; end: number } | undefined {
  if (range === undefined) return undefined;
  const { start, end = Number.MAX_SAFE_INTEGER } = range;
  if (!Number.isSafeInteger(start) || start < 0 || start >= size || !(end >= start))
    throw rangeNotSatisfiable(key);
  return { start, end: Math.min(end, size - 1) };
}

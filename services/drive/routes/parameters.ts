import { driveError } from '../errors.ts';
import { limits } from '../model.ts';
import type { DriveRequest } from '../request.ts';

/** `max-keys` and its like: at most a thousand, and more than that is a thousand. */
export function limitOf(request: DriveRequest, name: string): number {
  const text = request.query(name);
  if (text === undefined || text === '') return limits.keysPerPage;
  if (!/^\d{1,10}$/.test(text)) throw driveError('InvalidArgument', `${name} must be a number from 0.`);
  return Math.min(Number(text), limits.keysPerPage);
}

export function urlEncodedOf(request: DriveRequest): boolean {
  const encoding = request.query('encoding-type');
  if (encoding !== undefined && encoding !== 'url')
    throw driveError('InvalidArgument', 'encoding-type knows "url" only.');
  return encoding === 'url';
}

/** An empty one is none. */
export const delimiterOf = (request: DriveRequest): string | undefined =>
  request.query('delimiter') || undefined;

export function partNumberOf(request: DriveRequest): number {
  const text = request.query('partNumber') ?? '';
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > limits.parts)
    throw driveError('InvalidArgument', `partNumber must be 1 to ${limits.parts}.`);
  return number;
}

export const uploadIdOf = (request: DriveRequest): string => request.query('uploadId') ?? '';

import { invalid } from '@haic/kit/errors.ts';
import { bounds } from './model.ts';

/** What the store could not keep under this name. */
export function checkKey(key: string): void {
  if (!key.isWellFormed()) throw invalid('invalid_key', 'A key is well-formed Unicode.');
  if (Buffer.byteLength(key) > bounds.keyBytes)
    throw invalid('invalid_key', `A key has at most ${bounds.keyBytes} bytes, with all its folders.`);
}

/**
 * What a browser can ask for. It takes `.` and `..` of an address for steps between folders, written in whatever way, and would ask for another
 * object.
 */
export function checkAddressable(key: string): void {
  checkKey(key);
  if (key.split('/').some((segment) => segment === '.' || segment === '..'))
    throw invalid('invalid_key', 'A browser cannot ask for a name that is "." or "..". An S3 client can.');
}

/** A name for something new. */
export function checkNewKey(key: string): void {
  checkAddressable(key);
  if (key.startsWith('/') || key.includes('//') || key === '')
    throw invalid('invalid_key', 'Each folder and file has a name of at least one character.');
}

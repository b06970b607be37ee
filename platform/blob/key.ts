import { invalid } from '@haic/kit/errors.ts';

/** Bytes: 1024 of an S3 key, and what a service puts before it. */
export const maxKeyBytes = 1200;

/** Throws `invalid_blob_key` (400) for what is no key: empty, too long, not encodable as UTF-8. */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (key === '' || bytes > maxKeyBytes || !key.isWellFormed()) {
    throw invalid(
      'invalid_blob_key',
      `A key must be 1 to ${maxKeyBytes} bytes of UTF-8; this one has ${bytes} bytes.`,
    );
  }
}

/** Byte order of UTF-8, which that of JavaScript's strings is not: there U+10000 and higher come before U+E000. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

const rank = (unit: number) => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

import type { DigestAlgorithm } from './digests.ts';
import { blobCorrupt } from './errors.ts';
import type { ContentOptions } from './port.ts';

/** Throws `blob_corrupt` for what is not as it was said to be. */
export function checkContent(
  key: string,
  said: Pick<ContentOptions, 'size' | DigestAlgorithm>,
  is: { readonly size: number } & { readonly [name in DigestAlgorithm]?: string | undefined },
): void {
  check(key, 'size', said.size, is.size);
  check(key, 'SHA-256', said.sha256, is.sha256);
  check(key, 'MD5', said.md5, is.md5);
}

function check(key: string, what: string, expected: unknown, actual: unknown): void {
  if (expected !== undefined && expected !== actual) throw blobCorrupt(key, what, expected, actual);
}

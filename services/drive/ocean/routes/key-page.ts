import { badPageToken } from '@haic/kit/http/paging.ts';

/** A key has any character but none that UTF-8 cannot write, and an id of an upload has no line end. */
const separator = '\n';

/** `pageTokenOf` for a place that is a key, which JSON would make up to six times as long. */
export const keyTokenOf = (key: string, uploadId = ''): string =>
  Buffer.from(`${uploadId}${separator}${key}`).toString('base64url');

export function readKeyToken(
  token: string | undefined,
): { readonly key: string; readonly uploadId: string } | undefined {
  if (token === undefined || token === '') return undefined;
  const text = Buffer.from(token, 'base64url').toString();
  const end = text.indexOf(separator);
  const key = text.slice(end + 1);
  if (end < 0 || key === '' || Buffer.byteLength(key) > 1024) throw badPageToken();
  return { key, uploadId: text.slice(0, end) };
}

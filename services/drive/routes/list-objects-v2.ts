import { driveError } from '../errors.ts';
import type { BucketOperation } from '../operation.ts';
import { presentListV2 } from '../present.ts';
import { sendXml } from '../respond.ts';
import { delimiterOf, limitOf, urlEncodedOf } from './parameters.ts';

export const listObjectsV2: BucketOperation = {
  name: 'ListObjectsV2',
  wish: 'read',
  handle: async (request, bucket, { objects }) => {
    const prefix = request.query('prefix') ?? '';
    const startAfter = request.query('start-after');
    const continuationToken = request.query('continuation-token');
    const after = continuationToken === undefined ? startAfter : afterOf(continuationToken);
    const delimiter = delimiterOf(request);
    const maxKeys = limitOf(request, 'max-keys');
    const urlEncoded = urlEncodedOf(request);
    const page =
      maxKeys === 0
        ? { objects: [], prefixes: [], next: undefined }
        : await objects.list(bucket, {
            prefix,
            limit: maxKeys,
            signal: request.signal,
            ...(after === undefined || after === '' ? {} : { after }),
            ...(delimiter === undefined ? {} : { delimiter }),
          });
    const isTruncated = page.next !== undefined;
    const nextContinuationToken = page.next === undefined ? undefined : tokenOf(page.next);
    sendXml(
      request,
      presentListV2(
        { bucket, prefix, delimiter, maxKeys, urlEncoded, isTruncated, ...page },
        { startAfter, continuationToken, nextContinuationToken },
      ),
    );
  },
};

/** The last name of a page. Nothing secret: whoever makes one up gets what `start-after` gives. */
const tokenOf = (name: string): string => Buffer.from(name).toString('base64url');

function afterOf(token: string): string {
  const name = Buffer.from(token, 'base64url');
  if (token === '' || name.toString('base64url') !== token || name.toString().includes('\ufffd'))
    throw driveError('InvalidArgument', 'The continuation token is none of ours.');
  return name.toString();
}

import type { BucketOperation } from '../operation.ts';
import { presentListV1 } from '../present.ts';
import { sendXml } from '../respond.ts';
import { delimiterOf, limitOf, urlEncodedOf } from './parameters.ts';

export const listObjects: BucketOperation = {
  name: 'ListObjects',
  wish: 'read',
  handle: async (request, bucket, { objects }) => {
    const prefix = request.query('prefix') ?? '';
    const marker = request.query('marker') ?? '';
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
            ...(marker === '' ? {} : { after: marker }),
            ...(delimiter === undefined ? {} : { delimiter }),
          });
    const isTruncated = page.next !== undefined;
    const shown = { bucket, prefix, delimiter, maxKeys, urlEncoded, isTruncated, ...page };
    sendXml(request, presentListV1(shown, marker, page.next));
  },
};

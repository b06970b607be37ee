import { driveError } from '../errors.ts';
import type { BucketOperation } from '../operation.ts';
import { presentParts } from '../present.ts';
import { sendXml } from '../respond.ts';
import { limitOf, uploadIdOf } from './parameters.ts';

export const listParts: BucketOperation = {
  name: 'ListParts',
  wish: 'write',
  handle: async (request, bucket, { objects }) => {
    const { key, signal } = request;
    const uploadId = uploadIdOf(request);
    const maxParts = Math.max(limitOf(request, 'max-parts'), 1);
    const text = request.query('part-number-marker') || '0';
    const marker = Number(text);
    if (!/^\d{1,5}$/.test(text)) throw driveError('InvalidArgument', 'part-number-marker must be a number.');
    const { parts, more } = await objects.listParts(
      { bucket, key, uploadId },
      { limit: maxParts, signal, ...(marker === 0 ? {} : { after: marker }) },
    );
    const listing = { bucket, key, uploadId, marker, maxParts, parts, isTruncated: more };
    sendXml(request, presentParts(listing));
  },
};

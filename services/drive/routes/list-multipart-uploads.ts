import { notImplemented } from '../errors.ts';
import type { BucketOperation } from '../operation.ts';
import { presentUploads } from '../present.ts';
import { sendXml } from '../respond.ts';
import { delimiterOf, limitOf, urlEncodedOf } from './parameters.ts';

export const listMultipartUploads: BucketOperation = {
  name: 'ListMultipartUploads',
  wish: 'write',
  handle: async (request, bucket, { objects }) => {
    if (delimiterOf(request) !== undefined) throw notImplemented('a delimiter in lists of uploads');
    const prefix = request.query('prefix') ?? '';
    const keyMarker = request.query('key-marker') ?? '';
    const uploadIdMarker = request.query('upload-id-marker') ?? '';
    const maxUploads = Math.max(limitOf(request, 'max-uploads'), 1);
    const urlEncoded = urlEncodedOf(request);
    const after = { key: keyMarker, ...(uploadIdMarker === '' ? {} : { uploadId: uploadIdMarker }) };
    const { uploads, more } = await objects.listUploads(bucket, {
      prefix,
      limit: maxUploads,
      signal: request.signal,
      ...(keyMarker === '' ? {} : { after }),
    });
    const asked = { bucket, prefix, keyMarker, uploadIdMarker, maxUploads, urlEncoded };
    sendXml(request, presentUploads({ ...asked, uploads, isTruncated: more }));
  },
};

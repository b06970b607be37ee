import { attributesOf } from '../attributes.ts';
import type { BucketOperation } from '../operation.ts';
import { presentUpload } from '../present.ts';
import { sendXml } from '../respond.ts';

export const createMultipartUpload: BucketOperation = {
  name: 'CreateMultipartUpload',
  wish: 'write',
  handle: async (request, bucket, { objects }) => {
    const { uploadId } = await objects.createUpload(bucket, request.key, {
      ...attributesOf(request),
      signal: request.signal,
    });
    sendXml(request, presentUpload(bucket, request.key, uploadId));
  },
};

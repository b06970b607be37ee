import type { BucketOperation } from '../operation.ts';
import { sendNothing } from '../respond.ts';
import { uploadIdOf } from './parameters.ts';

export const abortMultipartUpload: BucketOperation = {
  name: 'AbortMultipartUpload',
  wish: 'write',
  handle: async (request, bucket, { objects }) => {
    const upload = { bucket, key: request.key, uploadId: uploadIdOf(request) };
    await objects.abortUpload(upload, { signal: request.signal });
    sendNothing(request, 204);
  },
};

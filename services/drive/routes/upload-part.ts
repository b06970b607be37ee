import { bodyOf } from '../body.ts';
import { limits } from '../model.ts';
import type { BucketOperation } from '../operation.ts';
import { quoted } from '../present.ts';
import { sendNothing } from '../respond.ts';
import { partNumberOf, uploadIdOf } from './parameters.ts';

/** Clients wait for ever for an answer without an ETag. */
export const uploadPart: BucketOperation = {
  name: 'UploadPart',
  wish: 'write',
  handle: async (request, bucket, { objects }) => {
    const partNumber = partNumberOf(request);
    const body = bodyOf(request, limits.partBytes);
    request.allow(body.size);
    const upload = { bucket, key: request.key, uploadId: uploadIdOf(request) };
    const part = await objects.putPart(upload, partNumber, body, { signal: request.signal });
    sendNothing(request, 200, { etag: quoted(part.etag) });
  },
};

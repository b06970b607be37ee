import { writeConditionOf } from '../conditions.ts';
import { deeds } from '../object-trail.ts';
import type { BucketOperation } from '../operation.ts';
import { sendNothing } from '../respond.ts';

export const deleteObject: BucketOperation = {
  name: 'DeleteObject',
  wish: 'write',
  deed: deeds.remove,
  handle: async (request, bucket, { objects, trail }) => {
    const { ifMatch } = writeConditionOf(request.header);
    const { key, signal } = request;
    await trail.removing(request, bucket, [key], async () => {
      await objects.remove(bucket, key, { signal, ...(ifMatch === undefined ? {} : { ifMatch }) });
      return [{ key, error: undefined }];
    });
    sendNothing(request, 204);
  },
};

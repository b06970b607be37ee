import { writeConditionOf } from '../conditions.ts';
import type { BucketOperation } from '../operation.ts';
import { sendNothing } from '../respond.ts';

export const deleteObject: BucketOperation = {
  name: 'DeleteObject',
  wish: 'write',
  handle: async (request, bucket, { objects }) => {
    const { ifMatch } = writeConditionOf(request.header);
    await objects.remove(bucket, request.key, {
      signal: request.signal,
      ...(ifMatch === undefined ? {} : { ifMatch }),
    });
    sendNothing(request, 204);
  },
};

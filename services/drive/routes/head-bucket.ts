import type { BucketOperation } from '../operation.ts';
import { sendNothing } from '../respond.ts';

export const headBucket: BucketOperation = {
  name: 'HeadBucket',
  wish: 'read',
  handle: async (request) => sendNothing(request, 200, { 'x-amz-bucket-region': 'us-east-1' }),
};

import { driveError } from '../errors.ts';
import type { BucketOperation } from '../operation.ts';

/**
 * The 2.x and 3.x clients create `_my` when they connect, and take this code, and no other, for success. A bucket that is not there is refused
 * as such before: who wants one more makes a workspace.
 */
export const createBucket: BucketOperation = {
  name: 'CreateBucket',
  wish: 'read',
  handle: async () => {
    throw driveError('BucketAlreadyExists', 'Buckets are there by themselves: this one, too.');
  },
};

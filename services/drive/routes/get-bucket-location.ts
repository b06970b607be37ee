import type { BucketOperation } from '../operation.ts';
import { presentLocation } from '../present.ts';
import { sendXml } from '../respond.ts';

/** Nowhere in particular, which is how `us-east-1` is said. */
export const getBucketLocation: BucketOperation = {
  name: 'GetBucketLocation',
  wish: 'read',
  handle: async (request) => sendXml(request, presentLocation()),
};

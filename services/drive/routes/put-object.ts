import { attributesOf } from '../attributes.ts';
import { bodyOf } from '../body.ts';
import { writeConditionOf } from '../conditions.ts';
import { limits } from '../model.ts';
import { deeds } from '../object-trail.ts';
import type { BucketOperation } from '../operation.ts';
import { quoted } from '../present.ts';
import { sendNothing } from '../respond.ts';

export const putObject: BucketOperation = {
  name: 'PutObject',
  wish: 'write',
  deed: deeds.put,
  handle: async (request, bucket, { objects, trail }) => {
    const body = bodyOf(request, limits.singlePutBytes);
    request.allow(body.size);
    const kept = await objects.put(bucket, request.key, body, {
      ...attributesOf(request),
      ...writeConditionOf(request.header),
      signal: request.signal,
    });
    await trail.used(request, bucket, deeds.put);
    sendNothing(request, 200, { etag: quoted(kept.etag) });
  },
};

import { principalOf } from '@haic/kit/http/server.ts';
import { presentBucket } from '../present.ts';
import type { OceanServer, RouteContext } from './context.ts';
import { BucketParams, BucketSchema, deed, tags } from './schemas.ts';

const schema = {
  operationId: 'getDriveBucket',
  summary: 'One bucket: what one may do with it, and how much is in it.',
  tags,
  params: BucketParams,
  response: { 200: BucketSchema },
};

/** GET /api/v1/drive/buckets/:bucket */
export function getBucketRoute(server: OceanServer, { service }: RouteContext): void {
  server.get('/api/v1/drive/buckets/:bucket', { schema, config: { deed } }, async (request) =>
    presentBucket(await service.getBucket(principalOf(request), request.params.bucket)),
  );
}

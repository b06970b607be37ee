import { Type } from '@fastify/type-provider-typebox';
import { cutPage, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentBucket } from '../present.ts';
import type { OceanServer, RouteContext } from './context.ts';
import { BucketSchema, deed, tags } from './schemas.ts';

const schema = {
  operationId: 'listDriveBuckets',
  summary: 'The buckets that one may use: one’s own, and those of workspaces; by name.',
  tags,
  querystring: Type.Object({ ...pageQuery }),
  response: { 200: pageOf(BucketSchema) },
};

/** GET /api/v1/drive/buckets */
export function listBucketsRoute(server: OceanServer, { service }: RouteContext): void {
  server.get('/api/v1/drive/buckets', { schema, config: { deed } }, async (request) => {
    const { pageSize = 50, pageToken } = request.query;
    const [after] = placeAfter(pageToken, /^[a-zA-Z0-9.\-_]{1,255}$/) ?? [];
    const buckets = await service.listBuckets(principalOf(request), after, pageSize + 1);
    const { page, next } = cutPage(buckets, pageSize, ({ name }) => [name]);
    return { items: page.map(presentBucket), ...next };
  });
}

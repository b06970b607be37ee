import { Type } from '@fastify/type-provider-typebox';
import { noContent, problems } from '@haic/kit/http/operation.ts';
import { cutPage, isoTime, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentShare } from '../present.ts';
import { idForm } from '../trash.ts';
import { auditOf, type OceanServer, type RouteContext } from './context.ts';
import { BucketParams, deed, ShareSchema, tags } from './schemas.ts';

const list = {
  operationId: 'listDriveShares',
  summary: 'The links that one made to objects of a bucket and that are good, the newest first.',
  description: 'Without their addresses, which are told once.',
  tags,
  params: BucketParams,
  querystring: Type.Object({ ...pageQuery }),
  response: { 200: pageOf(ShareSchema) },
};
const end = {
  operationId: 'endDriveShare',
  summary: 'Takes back a link that one made: within seconds nobody gets the object by it.',
  tags,
  params: Type.Object({ ...BucketParams.properties, id: Type.String({ description: 'Of the link.' }) }),
  response: { 204: noContent, ...problems(404) },
};

/** GET /api/v1/drive/buckets/:bucket/shares and DELETE …/:id */
export function sharesRoutes(server: OceanServer, { service }: RouteContext): void {
  const at = '/api/v1/drive/buckets/:bucket/shares';
  server.get(at, { schema: list, config: { deed } }, async (request) => {
    const { pageSize = 50, pageToken } = request.query;
    const [time, id] = placeAfter(pageToken, isoTime, idForm) ?? [];
    const after = time === undefined || id === undefined ? undefined : { createdAt: new Date(time), id };
    const found = await service.listShares(
      ...([principalOf(request), request.params.bucket, after, pageSize + 1] as const),
    );
    const { page, next } = cutPage(found, pageSize, (last) => [last.createdAt.toISOString(), last.id]);
    return { items: page.map(presentShare), ...next };
  });
  const audit = auditOf(service, 'actions/drive/shares/DELETE');
  server.delete(`${at}/:id`, { schema: end, config: { deed, audit } }, async (request, reply) => {
    await service.endShare(principalOf(request), request.params.bucket, request.params.id);
    return reply.code(204).send();
  });
}

import { Type } from '@fastify/type-provider-typebox';
import { pageOf, pageQuery, pageTokenOf, placeAfter } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { type OceanServer, type RouteContext, signalOf } from './context.ts';
import { deed, KeySchema, PartSchema, tags, UploadParams } from './schemas.ts';

const schema = {
  operationId: 'listDriveParts',
  summary: 'The parts of an upload that are there, by number.',
  tags,
  params: UploadParams,
  querystring: Type.Object({ ...pageQuery, key: KeySchema }),
  response: { 200: pageOf(PartSchema) },
};

/** GET /api/v1/drive/buckets/:bucket/uploads/:uploadId/parts */
export function listPartsRoute(server: OceanServer, { service }: RouteContext): void {
  server.get(
    '/api/v1/drive/buckets/:bucket/uploads/:uploadId/parts',
    { schema, config: { deed } },
    async (request, reply) => {
      const { pageSize = 1000, pageToken, key } = request.query;
      const [after] = placeAfter(pageToken, /^\d{1,5}$/) ?? [];
      const { parts, more } = await service.listParts(
        principalOf(request),
        { ...request.params, key },
        after === undefined ? undefined : Number(after),
        pageSize,
        signalOf(reply),
      );
      const last = parts.at(-1);
      return {
        items: parts.map(({ partNumber, size, etag }) => ({ partNumber, size, etag })),
        ...(more && last !== undefined ? { nextPageToken: pageTokenOf(String(last.partNumber)) } : {}),
      };
    },
  );
}

import { Type } from '@fastify/type-provider-typebox';
import { pageOf } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentEntry } from '../present.ts';
import { type OceanServer, type RouteContext, signalOf } from './context.ts';
import { keyTokenOf, readKeyToken } from './key-page.ts';
import { BucketParams, deed, EntrySchema, FolderSchema, keyPageQuery, tags } from './schemas.ts';

const schema = {
  operationId: 'listDriveEntries',
  summary: 'What is in a folder: folders and objects, by name.',
  description: 'Filtered, a page may have few items or none, and there may be more all the same.',
  tags,
  params: BucketParams,
  querystring: Type.Object({
    ...keyPageQuery,
    prefix: Type.Optional(FolderSchema),
    query: Type.Optional(Type.String({ maxLength: 100, description: 'Part of the name, in any case.' })),
  }),
  response: { 200: pageOf(EntrySchema) },
};

/** GET /api/v1/drive/buckets/:bucket/entries */
export function listEntriesRoute(server: OceanServer, { service }: RouteContext): void {
  server.get(
    '/api/v1/drive/buckets/:bucket/entries',
    { schema, config: { deed } },
    async (request, reply) => {
      const { pageSize = 200, pageToken, prefix = '', query = '' } = request.query;
      const after = readKeyToken(pageToken)?.key;
      const { entries, next } = await service.list(principalOf(request), request.params.bucket, {
        ...{ prefix, query: query.trim(), after, limit: pageSize },
        signal: signalOf(reply),
      });
      return {
        items: entries.map(presentEntry),
        ...(next === undefined ? {} : { nextPageToken: keyTokenOf(next) }),
      };
    },
  );
}

import { Type } from '@fastify/type-provider-typebox';
import { cutPage, isoTime, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentTrash } from '../present.ts';
import { idForm } from '../trash.ts';
import type { OceanServer, RouteContext } from './context.ts';
import { BucketParams, deed, TrashSchema, tags } from './schemas.ts';

const schema = {
  operationId: 'listDriveTrash',
  summary: 'What was deleted from a bucket and can be restored, the newest first.',
  tags,
  params: BucketParams,
  querystring: Type.Object({ ...pageQuery }),
  response: { 200: pageOf(TrashSchema) },
};

/** GET /api/v1/drive/buckets/:bucket/trash */
export function listTrashRoute(server: OceanServer, { service, nameOf }: RouteContext): void {
  server.get('/api/v1/drive/buckets/:bucket/trash', { schema, config: { deed } }, async (request) => {
    const { pageSize = 50, pageToken } = request.query;
    const [deletedAt, id] = placeAfter(pageToken, isoTime, idForm) ?? [];
    const after =
      deletedAt === undefined || id === undefined ? undefined : { deletedAt: new Date(deletedAt), id };
    const found = await service.listTrash(principalOf(request), request.params.bucket, after, pageSize + 1);
    const { page, next } = cutPage(found, pageSize, (last) => [last.deletedAt.toISOString(), last.id]);
    const names = new Map<string, string>();
    for (const { deletedBy } of page)
      if (!names.has(deletedBy)) names.set(deletedBy, await nameOf(deletedBy));
    const { trashDays } = service.about();
    const items = page.map((entry) =>
      presentTrash(entry, names.get(entry.deletedBy) ?? entry.deletedBy, trashDays),
    );
    return { items, ...next };
  });
}

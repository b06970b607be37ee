import { noContent, problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import type { CatalogServer, RouteContext } from './context.ts';
import { IdParams, tags } from './schemas.ts';

const schema = {
  operationId: 'deleteApp',
  summary: 'Deletes this version of the app, which must have no instances.',
  tags,
  params: IdParams,
  response: { 204: noContent, ...problems(409) },
};

/** DELETE /api/v1/apps/:id: refused (409) while it has instances. */
export function deleteAppRoute(server: CatalogServer, { service }: RouteContext): void {
  server.delete(
    '/api/v1/apps/:id',
    {
      schema,
      config: {
        deed: 'change apps',
        audit: { action: 'actions/appstore/apps/DELETE', resource: '//appstore/apps/{id}' },
      },
    },
    async (request, reply) => {
      // Not the caller's signal: once the row is gone the blobs must go too.
      await service.deleteApp(principalOf(request), request.params.id, AbortSignal.timeout(60_000));
      return reply.code(204).send();
    },
  );
}

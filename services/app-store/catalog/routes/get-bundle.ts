import { binary } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { type CatalogServer, type RouteContext, signalOf } from './context.ts';
import { IdParams, tags } from './schemas.ts';

const schema = {
  operationId: 'downloadApp',
  summary: 'The bundle as it was imported.',
  tags,
  params: IdParams,
  response: { 200: binary('application/zip', 'The bundle.') },
};

/** GET /api/v1/apps/:id/bundle: the zip as it was imported, to be kept and never shown. */
export function getBundleRoute(server: CatalogServer, { service }: RouteContext): void {
  server.get(
    '/api/v1/apps/:id/bundle',
    {
      schema,
      config: {
        deed: 'download apps',
        audit: { action: 'actions/appstore/apps/DOWNLOAD', resource: '//appstore/apps/{id}', readOnly: true },
      },
    },
    async (request, reply) => {
      const { app, open } = await service.openBundle(principalOf(request), request.params.id);
      const { name, version } = app.manifest;
      const fileName = `${name}.${version}.wave`;
      reply
        .type('application/zip')
        .header('content-length', app.bundleSize)
        .header('content-disposition', `attachment; filename*=UTF-8''${encodeFileName(fileName)}`)
        .header('etag', `"${app.bundleSha256}"`)
        .header('cache-control', 'private, no-cache')
        .header('x-content-type-options', 'nosniff')
        .header('content-security-policy', "default-src 'none'; sandbox")
        .header('cross-origin-resource-policy', 'same-origin');
      return reply.send(request.method === 'HEAD' ? undefined : await open(signalOf(reply)));
    },
  );
}

/** RFC 8187: what encodeURIComponent leaves and the RFC does not. */
const encodeFileName = (name: string): string =>
  encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

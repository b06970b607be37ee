import { Type } from '@fastify/type-provider-typebox';
import { binary, noContent } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { type CatalogServer, type RouteContext, signalOf } from './context.ts';
import { tags } from './schemas.ts';

const schema = {
  operationId: 'getAppImage',
  summary: 'An icon or screenshot of the app.',
  tags,
  params: Type.Object({ id: Type.String(), name: Type.String() }),
  response: { 200: binary(['image/png', 'image/jpeg'], 'The image.'), 304: noContent },
};

/**
 * GET /api/v1/apps/:id/assets/:name: icons and screenshots. A stranger's file on the portal's own host: so the type is the one that
 * the import verified, the browser may not guess another, and if it is opened by itself nothing in it runs.
 */
export function getAssetRoute(server: CatalogServer, { service }: RouteContext): void {
  server.get(
    '/api/v1/apps/:id/assets/:name',
    { schema, config: { deed: 'see apps' } },
    async (request, reply) => {
      const { id, name } = request.params;
      const { asset, open } = await service.openAsset(principalOf(request), id, name);
      const etag = `"${asset.etag}"`;
      reply
        .header('etag', etag)
        .header('cache-control', 'private, max-age=31536000, immutable')
        .header('x-content-type-options', 'nosniff')
        .header('content-security-policy', "default-src 'none'; sandbox")
        .header('cross-origin-resource-policy', 'same-origin');
      if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
      reply.type(asset.contentType).header('content-length', asset.size);
      return reply.send(request.method === 'HEAD' ? undefined : await open(signalOf(reply)));
    },
  );
}

/** RFC 9110 §13.1.2: a list, or `*`; compared weakly. */
const matches = (header: string | undefined, etag: string): boolean =>
  header === '*' || (header?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag) ?? false);

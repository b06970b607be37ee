import type { Readable } from 'node:stream';
import { Type } from '@fastify/type-provider-typebox';
import { type HaicError, invalid } from '@haic/kit/errors.ts';
import { bodyWas } from '@haic/kit/http/idempotency/hook.ts';
import { binary, problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentAppDetails } from '../present.ts';
import { bundleTooLarge, patience } from '../uploads.ts';
import { type CatalogServer, type RouteContext, signalOf } from './context.ts';
import { AppDetailsSchema, tags, VisibilitySchema } from './schemas.ts';

const bundleTypes = ['application/octet-stream', 'application/zip', 'application/x-zip-compressed'];
const schema = {
  operationId: 'importApp',
  summary: 'Imports a bundle as a new version of an app.',
  description:
    'The body is the bundle (.wave) itself. What is wrong with it is in `details.problems`, each with file, key and remedy.',
  tags,
  querystring: Type.Object({ visibility: Type.Optional(VisibilitySchema) }),
  body: binary(bundleTypes, 'The bundle.'),
  response: { 201: AppDetailsSchema, ...problems(408, 409, 507) },
};

/** POST /api/v1/apps?visibility=PRIVATE: the body is the bundle; it is streamed to disk, checked, and only then kept. */
export function importAppRoute(server: CatalogServer, { service, limits, view }: RouteContext): void {
  // In a scope of its own, because only this route takes a body that is not parsed.
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(bundleTypes, (_request, body, done) => done(null, body));
    const typed = scope as CatalogServer;
    typed.addHook('onRequest', async (request) => {
      service.admitImport(principalOf(request));
      if (Number(request.headers['content-length'] ?? 0) > limits.bundleBytes * patience)
        throw bundleTooLarge(limits);
    });
    // A body that was cut off leaves the connection in the middle of it.
    typed.addHook('onSend', async (request, reply) => {
      const isCut = request.raw.destroyed || reply.statusCode === 413;
      if (isCut && !request.raw.complete) reply.header('connection', 'close');
    });
    const config = {
      deed: 'import apps',
      idempotent: { secrets: [] },
      audit: { action: 'actions/appstore/apps/IMPORT', resource: '//appstore/apps/{answer.id}' },
    } as const;
    typed.post('/api/v1/apps', { schema, config }, async (request, reply) => {
      const principal = principalOf(request);
      if (!isStream(request.body)) throw noBundle();
      const visibility = request.query.visibility ?? 'PRIVATE';
      const app = await service.importBundle(principal, request.body, {
        visibility,
        signal: signalOf(reply),
      });
      bodyWas(request, app.bundleSha256);
      const versions = await service.versionsOf(principal, app);
      return reply.code(201).send(presentAppDetails(app, versions, principal, view));
    });
    typed.setErrorHandler((error: HaicError & { statusCode?: number }) => {
      throw error.statusCode === 415 ? noBundle() : error;
    });
  });
}

const isStream = (body: unknown): body is Readable =>
  typeof body === 'object' && body !== null && 'pipe' in body;

const noBundle = () =>
  invalid(
    'bundle_missing',
    'The body must be the bundle itself, sent with Content-Type: application/octet-stream.',
  );

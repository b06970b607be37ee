import type { RouteContext, SchedulerServer } from './context.ts';
import { IdParams } from './schemas.ts';
import { verifyLauncher } from './verify-launcher.ts';

/** GET /api/launcher/v1/instances/:id/bundle: the zip as it was imported, for the instance alone. */
export function launcherBundleRoute(server: SchedulerServer, context: RouteContext): void {
  const options = { schema: { params: IdParams }, config: { public: 'signed with the key of the instance' } };
  server.get('/api/launcher/v1/instances/:id/bundle', options, async (request, reply) => {
    await verifyLauncher(context, request.params.id, request);
    const closed = new AbortController();
    reply.raw.once('close', () => closed.abort());
    const bundle = await context.launcher.openBundle(request.params.id, closed.signal);
    return reply
      .type('application/zip')
      .header('content-length', bundle.size)
      .header('cache-control', 'no-store')
      .send(bundle.content);
  });
}

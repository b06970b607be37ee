import type { RouteContext, SchedulerServer } from './context.ts';
import { IdParams } from './schemas.ts';
import { verifyLauncher } from './verify-launcher.ts';

/** POST /api/launcher/v1/instances/:id/secrets: what app.toml takes of secrets, for this start of the instance alone. */
export function launcherSecretsRoute(server: SchedulerServer, context: RouteContext): void {
  const options = {
    schema: { params: IdParams },
    config: {
      public: 'signed with the key of the instance',
      unaudited: 'the secure store tells of every value that is read',
    },
  };
  server.post('/api/launcher/v1/instances/:id/secrets', options, async (request, reply) => {
    await verifyLauncher(context, request.params.id, request);
    const values = await context.launcher.secretValues(request.params.id);
    return reply.header('cache-control', 'no-store').send(values);
  });
}

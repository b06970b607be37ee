import type { RouteContext, SchedulerServer } from './context.ts';
import { IdParams } from './schemas.ts';
import { verifyLauncher } from './verify-launcher.ts';

/** POST /api/launcher/v1/instances/:id/token: a token of minutes for the app's code, acting for the owner (design §6). */
export function launcherTokenRoute(server: SchedulerServer, context: RouteContext): void {
  const options = {
    schema: { params: IdParams },
    config: {
      public: 'signed with the key of the instance',
      unaudited: 'what the app does with it is told of with its name',
    },
  };
  server.post('/api/launcher/v1/instances/:id/token', options, async (request, reply) => {
    await verifyLauncher(context, request.params.id, request);
    const { accessToken, expiresIn } = await context.launcher.mintToken(request.params.id);
    return reply
      .header('cache-control', 'no-store')
      .send({ access_token: accessToken, expires_in: expiresIn, token_type: 'Bearer' });
  });
}

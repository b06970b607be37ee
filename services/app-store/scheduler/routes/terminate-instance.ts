import { principalOf } from '@haic/kit/http/server.ts';
import { IdParams, type RouteContext, type SchedulerServer } from './context.ts';

/** DELETE /api/v1/instances/:id: ends it for good, with its data volume. Answered when it is gone. */
export function terminateInstanceRoute(server: SchedulerServer, context: RouteContext): void {
  server.delete('/api/v1/instances/:id', { schema: { params: IdParams } }, async (request, reply) => {
    await context.service.terminate(principalOf(request), request.params.id);
    return reply.code(204).send();
  });
}

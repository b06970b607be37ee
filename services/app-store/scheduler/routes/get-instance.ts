import { principalOf } from '@haic/kit/http/server.ts';
import { presentStatus } from '../present.ts';
import { answerWith, IdParams, type RouteContext, type SchedulerServer } from './context.ts';

const schema = { params: IdParams };

/** GET /api/v1/instances/:id, and /status: the same as the command line prints it. */
export function getInstanceRoute(server: SchedulerServer, context: RouteContext): void {
  server.get('/api/v1/instances/:id', { schema }, async (request) =>
    answerWith(context, request, await context.service.get(principalOf(request), request.params.id)),
  );
  server.get('/api/v1/instances/:id/status', { schema }, async (request) =>
    presentStatus(await context.service.get(principalOf(request), request.params.id)),
  );
}

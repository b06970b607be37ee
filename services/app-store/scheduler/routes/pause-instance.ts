import { principalOf } from '@haic/kit/http/server.ts';
import { answerWith, IdParams, type RouteContext, type SchedulerServer } from './context.ts';

const schema = { params: IdParams };

/** POST /api/v1/instances/:id/suspend, /resume and /extend: what is answered is the instance as it is then. */
export function pauseInstanceRoutes(server: SchedulerServer, context: RouteContext): void {
  for (const action of ['suspend', 'resume', 'extend'] as const) {
    server.post(`/api/v1/instances/:id/${action}`, { schema }, async (request) => {
      const instance = await context.service[action](principalOf(request), request.params.id);
      return answerWith(context, request, instance);
    });
  }
}

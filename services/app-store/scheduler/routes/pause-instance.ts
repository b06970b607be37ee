import { problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { answerWith, type RouteContext, type SchedulerServer } from './context.ts';
import { IdParams, InstanceSchema, tags } from './schemas.ts';

const summaries = {
  suspend: 'Pauses an instance: nothing runs, its data volume is kept.',
  resume: 'Wakes up a paused instance.',
  extend: 'Starts the time anew after which an instance pauses by itself.',
};

/** POST /api/v1/instances/:id/suspend, /resume and /extend: what is answered is the instance as it is then. */
export function pauseInstanceRoutes(server: SchedulerServer, context: RouteContext): void {
  for (const action of ['suspend', 'resume', 'extend'] as const) {
    const schema = {
      operationId: `${action}Instance`,
      summary: summaries[action],
      tags,
      params: IdParams,
      response: { 200: InstanceSchema, ...problems(409) },
    };
    server.post(
      `/api/v1/instances/:id/${action}`,
      {
        schema,
        config: {
          deed: 'change instances',
          audit: {
            action: `actions/appstore/instances/${action.toUpperCase()}`,
            resource: '//appstore/instances/{id}',
          },
        },
      },
      async (request) => {
        const instance = await context.service[action](principalOf(request), request.params.id);
        return answerWith(context, request, instance);
      },
    );
  }
}

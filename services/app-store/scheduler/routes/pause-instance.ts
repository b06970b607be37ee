import { problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { answerWith, type RouteContext, type SchedulerServer } from './context.ts';
import { IdParams, InstanceSchema, tags } from './schemas.ts';

const verbs = [
  {
    verb: 'suspend',
    action: 'actions/appstore/instances/SUSPEND',
    summary: 'Pauses an instance: nothing runs, its data volume is kept.',
  },
  {
    verb: 'resume',
    action: 'actions/appstore/instances/RESUME',
    summary: 'Wakes up a paused instance.',
  },
  {
    verb: 'extend',
    action: 'actions/appstore/instances/EXTEND',
    summary: 'Starts the time anew after which an instance pauses by itself.',
  },
] as const;

/** POST /api/v1/instances/:id/suspend, /resume and /extend: what is answered is the instance as it is then. */
export function pauseInstanceRoutes(server: SchedulerServer, context: RouteContext): void {
  for (const { verb, action, summary } of verbs) {
    const schema = {
      operationId: `${verb}Instance`,
      summary,
      tags,
      params: IdParams,
      response: { 200: InstanceSchema, ...problems(409) },
    };
    server.post(
      `/api/v1/instances/:id/${verb}`,
      {
        schema,
        config: {
          deed: 'change instances',
          audit: { action, resource: '//appstore/instances/{id}' },
        },
      },
      async (request) => {
        const instance = await context.service[verb](principalOf(request), request.params.id);
        return answerWith(context, request, instance);
      },
    );
  }
}

import { Type } from '@fastify/type-provider-typebox';
import { principalOf } from '@haic/kit/http/server.ts';
import {
  answerWith,
  IdParams,
  type RouteContext,
  type SchedulerServer,
  VisibilitySchema,
} from './context.ts';

const schema = {
  params: IdParams,
  body: Type.Optional(
    Type.Union([
      Type.Null(),
      Type.Object({ visibility: Type.Optional(VisibilitySchema) }, { additionalProperties: false }),
    ]),
  ),
};

/** POST /api/v1/apps/:id/instances: runs an app for the person who asks. */
export function runInstanceRoute(server: SchedulerServer, context: RouteContext): void {
  server.post('/api/v1/apps/:id/instances', { schema }, async (request, reply) => {
    const visibility = request.body?.visibility ?? 'PRIVATE';
    const instance = await context.service.run(principalOf(request), request.params.id, visibility);
    return reply
      .code(201)
      .header('location', `/api/v1/instances/${instance.id}`)
      .send(await answerWith(context, request, instance));
  });
}

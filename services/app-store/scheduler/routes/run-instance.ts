import { Type } from '@fastify/type-provider-typebox';
import { idOfNew } from '@haic/kit/http/idempotency/hook.ts';
import { problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { answerWith, type RouteContext, type SchedulerServer } from './context.ts';
import { IdParams, InstanceSchema, tags, VisibilitySchema } from './schemas.ts';

const schema = {
  operationId: 'runApp',
  summary: 'Runs an app for the person who asks.',
  tags,
  params: IdParams,
  body: Type.Optional(
    Type.Union([
      Type.Null(),
      Type.Object({ visibility: Type.Optional(VisibilitySchema) }, { additionalProperties: false }),
    ]),
  ),
  response: { 201: InstanceSchema, ...problems(409, 507) },
};

/** POST /api/v1/apps/:id/instances: runs an app for the person who asks. */
export function runInstanceRoute(server: SchedulerServer, context: RouteContext): void {
  server.post(
    '/api/v1/apps/:id/instances',
    {
      schema,
      config: {
        deed: 'run apps',
        idempotent: { secrets: [] },
        audit: {
          action: 'actions/appstore/instances/RUN',
          resource: '//appstore/instances/{answer.id}',
          parameters: ['id', 'visibility'],
        },
      },
    },
    async (request, reply) => {
      const visibility = request.body?.visibility ?? 'PRIVATE';
      const instance = await context.service.run(
        principalOf(request),
        request.params.id,
        visibility,
        idOfNew(request),
      );
      return reply
        .code(201)
        .header('location', `/api/v1/instances/${instance.id}`)
        .send(await answerWith(context, request, instance));
    },
  );
}

import { Type } from '@fastify/type-provider-typebox';
import { problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { answerWith, type RouteContext, type SchedulerServer } from './context.ts';
import { IdParams, InstanceSchema, tags, VisibilitySchema } from './schemas.ts';

const aYear = 366 * 24 * 3600;
const schema = {
  operationId: 'changeInstance',
  summary: 'Changes who may open the instance, or (administrators) when it pauses by itself and whose it is.',
  tags,
  params: IdParams,
  body: Type.Object(
    {
      visibility: Type.Optional(VisibilitySchema),
      owner: Type.Optional(
        Type.String({
          maxLength: 128,
          description:
            'User name of who shall own it. By administrators, while it is paused and its owner is disabled or gone.',
        }),
      ),
      suspendAfter: Type.Optional(
        Type.Union([Type.Literal('never'), Type.Integer({ minimum: 60, maximum: aYear })]),
      ),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
  response: { 200: InstanceSchema, ...problems(409) },
};

/** PATCH /api/v1/instances/:id: the visibility, in effect at once; for administrators also when it pauses by itself, and whose it is. */
export function changeInstanceRoute(server: SchedulerServer, context: RouteContext): void {
  server.patch(
    '/api/v1/instances/:id',
    {
      schema,
      config: {
        deed: 'change instances',
        audit: {
          action: 'actions/appstore/instances/UPDATE',
          resource: '//appstore/instances/{id}',
          parameters: ['visibility', 'suspendAfter'],
        },
      },
    },
    async (request) => {
      const { service } = context;
      const { visibility, suspendAfter, owner } = request.body;
      const { id } = request.params;
      const actor = principalOf(request);
      // First what fewer people may do, so that a refusal leaves nothing half done.
      if (owner !== undefined) await service.handOver(actor, id, owner);
      if (suspendAfter !== undefined) await service.setSuspendAfter(actor, id, suspendAfter);
      if (visibility !== undefined) await service.setVisibility(actor, id, visibility);
      return answerWith(context, request, await service.get(actor, id));
    },
  );
}

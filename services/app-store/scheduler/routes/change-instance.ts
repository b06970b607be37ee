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
  body: Type.Object({ visibility: VisibilitySchema }, { additionalProperties: false }),
};

/** PATCH /api/v1/instances/:id: the visibility, in effect at once. */
export function changeInstanceRoute(server: SchedulerServer, context: RouteContext): void {
  server.patch('/api/v1/instances/:id', { schema }, async (request) => {
    const { params, body } = request;
    const instance = await context.service.setVisibility(principalOf(request), params.id, body.visibility);
    return answerWith(context, request, instance);
  });
}

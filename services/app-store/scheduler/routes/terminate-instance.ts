import { noContent, problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import type { RouteContext, SchedulerServer } from './context.ts';
import { IdParams, tags } from './schemas.ts';

const schema = {
  operationId: 'terminateInstance',
  summary: 'Ends an instance for good, with its data volume. Answered when it is gone.',
  tags,
  params: IdParams,
  response: { 204: noContent, ...problems(409) },
};

/** DELETE /api/v1/instances/:id: ends it for good, with its data volume. Answered when it is gone. */
export function terminateInstanceRoute(server: SchedulerServer, context: RouteContext): void {
  server.delete(
    '/api/v1/instances/:id',
    {
      schema,
      config: {
        deed: 'change instances',
        audit: { action: 'actions/appstore/instances/TERMINATE', resource: '//appstore/instances/{id}' },
      },
    },
    async (request, reply) => {
      await context.service.terminate(principalOf(request), request.params.id);
      return reply.code(204).send();
    },
  );
}

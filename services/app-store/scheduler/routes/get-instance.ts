import { principalOf } from '@haic/kit/http/server.ts';
import { presentStatus } from '../present.ts';
import { answerWith, type RouteContext, type SchedulerServer } from './context.ts';
import { IdParams, InstanceSchema, InstanceStatusSchema, tags } from './schemas.ts';

const instance = {
  operationId: 'getInstance',
  summary: 'An instance, with the steps of its start and why it is as it is.',
  tags,
  params: IdParams,
  response: { 200: InstanceSchema },
};
const status = {
  operationId: 'getInstanceStatus',
  summary: 'The status of an instance as the command line prints it.',
  tags,
  params: IdParams,
  response: { 200: InstanceStatusSchema },
};

/** GET /api/v1/instances/:id, and /status: the same as the command line prints it. */
export function getInstanceRoute(server: SchedulerServer, context: RouteContext): void {
  server.get(
    '/api/v1/instances/:id',
    { schema: instance, config: { deed: 'see instances' } },
    async (request) =>
      answerWith(context, request, await context.service.get(principalOf(request), request.params.id)),
  );
  server.get(
    '/api/v1/instances/:id/status',
    { schema: status, config: { deed: 'see instances' } },
    async (request) => presentStatus(await context.service.get(principalOf(request), request.params.id)),
  );
}

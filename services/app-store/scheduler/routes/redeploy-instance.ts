import { problems } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { answerWith, type RouteContext, type SchedulerServer } from './context.ts';
import { IdParams, InstanceSchema, tags } from './schemas.ts';

const schema = {
  operationId: 'redeployInstance',
  summary:
    'For administrators: applies what is set up on the server now to an instance that was started before.',
  tags,
  params: IdParams,
  response: { 200: InstanceSchema, ...problems(409, 503) },
};

/** POST /api/v1/instances/:id/redeploy. A running instance is replaced if anything changed for it; a paused one stays paused. */
export function redeployInstanceRoute(server: SchedulerServer, context: RouteContext): void {
  const config = {
    deed: 'change instances',
    appliesSettings: true,
    audit: { action: 'actions/appstore/instances/REDEPLOY', resource: '//appstore/instances/{id}' },
  } as const;
  server.post('/api/v1/instances/:id/redeploy', { schema, config }, async (request) => {
    const instance = await context.service.redeploy(principalOf(request), request.params.id);
    return answerWith(context, request, instance);
  });
}

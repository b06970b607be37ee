import { principalOf } from '@haic/kit/http/server.ts';
import { instanceUrl } from '../addresses.ts';
import type { RouteContext, SchedulerServer } from './context.ts';
import { IdParams, tags } from './schemas.ts';

const schema = {
  operationId: 'visitApp',
  summary: 'Leads to the newest instance of an app that one may open, or to its page where there is none.',
  tags,
  params: IdParams,
  response: { 303: { type: 'null', description: 'See the location.' } },
};

/** GET /api/v1/apps/:id/visit: for the button of a MANAGED app, and for links that outlive its instances. */
export function visitAppRoute(server: SchedulerServer, context: RouteContext): void {
  server.get(
    '/api/v1/apps/:id/visit',
    { schema, config: { deed: 'see instances' } },
    async (request, reply) => {
      const { id } = request.params;
      const found = await context.service.newestToVisit(principalOf(request), id);
      const { publicUrl } = context.environment;
      const location =
        found === undefined
          ? `${publicUrl}/apps/${id}?visit=none`
          : instanceUrl(publicUrl, found.id, found.routingMode);
      return reply.code(303).header('location', location).header('cache-control', 'no-store').send();
    },
  );
}

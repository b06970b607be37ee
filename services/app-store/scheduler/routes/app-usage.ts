import { Type } from '@fastify/type-provider-typebox';
import { listOf, orNull, Timestamp } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import type { RouteContext, SchedulerServer } from './context.ts';

const AppUsage = Type.Object(
  {
    appId: Type.String(),
    instances: Type.Integer(),
    running: Type.Integer({ description: 'Of the instances, those that run or are to run.' }),
    lastStartedAt: orNull(Timestamp),
  },
  { title: 'AppUsage', additionalProperties: false },
);

const schema = {
  operationId: 'getAppUsage',
  summary: 'How many instances apps have, and when one was last started, as far as one may see them.',
  tags: ['Instances'],
  querystring: Type.Object({
    appIds: Type.String({
      maxLength: 8000,
      pattern: '^[0-9A-Za-z,-]+$',
      description: 'Ids of apps, separated by commas.',
    }),
  }),
  response: { 200: Type.Object({ items: listOf(AppUsage) }, { additionalProperties: false }) },
};

/** GET /api/v1/app-usage. Of instances that are gone nothing is known any more: the runtime is the only record. */
export function appUsageRoute(server: SchedulerServer, context: RouteContext): void {
  server.get('/api/v1/app-usage', { schema, config: { deed: 'see instances' } }, async (request) => {
    const appIds = [...new Set(request.query.appIds.split(',').filter((id) => id !== ''))];
    return { items: await context.service.usageOf(principalOf(request), appIds) };
  });
}

import { Type } from '@fastify/type-provider-typebox';
import { cutPage, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import type { Instance } from '../model.ts';
import { presentInstance } from '../present.ts';
import type { RouteContext, SchedulerServer } from './context.ts';
import { InstanceSchema, tags } from './schemas.ts';

const schema = {
  operationId: 'listInstances',
  summary: 'One’s own instances, or all that one may see, the newest first.',
  tags,
  querystring: Type.Object({
    ...pageQuery,
    all: Type.Optional(Type.Boolean({ description: 'Other people’s too, as far as one may see them.' })),
    appId: Type.Optional(Type.String({ maxLength: 100, pattern: '^[0-9A-Za-z-]+$' })),
    owner: Type.Optional(
      Type.String({ maxLength: 128, description: 'Only what belongs to this user name.' }),
    ),
    status: Type.Optional(InstanceSchema.properties.status),
    query: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'Part of the title or name of the app, the owner or the id.',
      }),
    ),
  }),
  response: { 200: pageOf(InstanceSchema) },
};
const defaultPageSize = 100;

/** GET /api/v1/instances: one's own, or with `all` every one that one may see; newest first. */
export function listInstancesRoute(server: SchedulerServer, context: RouteContext): void {
  server.get('/api/v1/instances', { schema, config: { deed: 'see instances' } }, async (request) => {
    const actor = principalOf(request);
    const {
      all = false,
      appId,
      owner,
      status,
      query = '',
      pageSize = defaultPageSize,
      pageToken,
    } = request.query;
    const [createdAt, behind] = placeAfter(pageToken, anyTime, anyId) ?? [];
    const found = await context.service.list(actor, {
      ...{ all, appId, username: owner?.toLowerCase() },
      isWanted: (instance) =>
        matches(instance, query) && (status === undefined || instance.status === status),
      // A page begins behind the last instance of the one before, so that what starts or ends meanwhile moves nothing.
      behind: createdAt === undefined || behind === undefined ? undefined : { createdAt, id: behind },
      most: pageSize + 1,
    });
    const { page, next } = cutPage(found, pageSize, ({ createdAt, id }) => [createdAt, id]);
    const icons = await context.iconsOf(page.map((instance) => instance.app.id));
    return {
      items: page.map((instance) =>
        presentInstance(instance, {
          publicUrl: context.environment.publicUrl,
          actor,
          icon: icons.get(instance.app.id) ?? null,
        }),
      ),
      ...next,
    };
  });
}

function matches(instance: Instance, query: string): boolean {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return true;
  const { app, owner, id } = instance;
  return [app.title, app.name, owner.username, id].some((text) => text.toLowerCase().includes(wanted));
}

/** Of a workload that somebody made by hand: whatever is written there. */
const anyTime = /^[^\n]{1,100}$/;
const anyId = /^[0-9A-Za-z-]{1,64}$/;

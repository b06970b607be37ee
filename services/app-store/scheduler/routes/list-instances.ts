import { Type } from '@fastify/type-provider-typebox';
import { invalid } from '@haic/kit/errors.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import type { Instance } from '../model.ts';
import { presentInstance } from '../present.ts';
import type { RouteContext, SchedulerServer } from './context.ts';

const schema = {
  querystring: Type.Object({
    all: Type.Optional(Type.Boolean()),
    appId: Type.Optional(Type.String({ maxLength: 100, pattern: '^[0-9A-Za-z-]+$' })),
    query: Type.Optional(Type.String({ maxLength: 200 })),
    pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
    pageToken: Type.Optional(Type.String({ maxLength: 200 })),
  }),
};
const defaultPageSize = 100;

/** GET /api/v1/instances: one's own, or with `all` every one that one may see; newest first. */
export function listInstancesRoute(server: SchedulerServer, context: RouteContext): void {
  server.get('/api/v1/instances', { schema }, async (request) => {
    const actor = principalOf(request);
    const { all = false, appId, query = '', pageSize = defaultPageSize, pageToken } = request.query;
    const found = (
      await context.service.list(actor, { all, ...(appId === undefined ? {} : { appId }) })
    ).filter((instance) => matches(instance, query));
    const rest = pageToken === undefined ? found : behind(found, readToken(pageToken));
    const page = rest.slice(0, pageSize);
    const icons = await context.iconsOf(page.map((instance) => instance.app.id));
    const last = page.at(-1);
    return {
      items: page.map((instance) =>
        presentInstance(instance, {
          publicUrl: context.environment.publicUrl,
          actor,
          icon: icons.get(instance.app.id) ?? null,
        }),
      ),
      ...(last === undefined || rest.length <= pageSize ? {} : { nextPageToken: writeToken(last) }),
    };
  });
}

function matches(instance: Instance, query: string): boolean {
  const wanted = query.trim().toLowerCase();
  const { app, owner, id } = instance;
  return [app.title, app.name, owner.username, id].some((text) => text.toLowerCase().includes(wanted));
}

/** A page begins behind the last instance of the one before, so that what starts or ends meanwhile moves nothing. */
interface Position {
  readonly createdAt: string;
  readonly id: string;
}

const behind = (instances: readonly Instance[], { createdAt, id }: Position): readonly Instance[] =>
  instances.filter((i) => i.createdAt < createdAt || (i.createdAt === createdAt && i.id > id));

const writeToken = ({ createdAt, id }: Position): string =>
  Buffer.from(`${createdAt} ${id}`).toString('base64url');

function readToken(token: string): Position {
  const [createdAt, id, ...more] = Buffer.from(token, 'base64url').toString('utf8').split(' ');
  if (createdAt === undefined || id === undefined || more.length > 0)
    throw invalid('invalid_page_token', 'This page token is not one of ours. Begin with the first page.');
  return { createdAt, id };
}

import { Type } from '@fastify/type-provider-typebox';
import { cutPage, isoTime, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentApp } from '../present.ts';
import type { PagePoint } from '../service.ts';
import type { CatalogServer, RouteContext } from './context.ts';
import { AppSchema, tags, VisibilitySchema } from './schemas.ts';

const schema = {
  operationId: 'listApps',
  summary: 'The apps that one may see, the newest import first.',
  tags,
  querystring: Type.Object({
    ...pageQuery,
    /** PostgreSQL knows no NUL. */
    query: Type.Optional(
      Type.String({
        maxLength: 200,
        pattern: '^[^\\u0000]*$',
        description: 'Part of the name, title, description or a tag.',
      }),
    ),
    versions: Type.Optional(
      Type.Literal('all', {
        description: 'Without it, of each name only the highest version that one may see.',
      }),
    ),
    all: Type.Optional(Type.Boolean({ description: 'For administrators: other people’s PRIVATE apps too.' })),
    tag: Type.Optional(
      Type.String({ maxLength: 63, pattern: '^[^\\u0000]*$', description: 'Only what carries it.' }),
    ),
    precondition: Type.Optional(
      Type.Union([Type.Literal('PASSED'), Type.Literal('FAILED')], {
        description: 'Only what the checker of preconditions found so.',
      }),
    ),
    owner: Type.Optional(
      Type.String({
        maxLength: 128,
        pattern: '^[^\\u0000]*$',
        description: 'Only what belongs to this user name.',
      }),
    ),
    visibility: Type.Optional(VisibilitySchema),
    mine: Type.Optional(Type.Boolean({ description: 'Only what one imported oneself.' })),
  }),
  response: { 200: pageOf(AppSchema) },
};

/** GET /api/v1/apps: the newest import first. */
export function listAppsRoute(server: CatalogServer, { service, view }: RouteContext): void {
  server.get('/api/v1/apps', { schema, config: { deed: 'see apps' } }, async (request) => {
    const { pageSize = 50, pageToken, query = '', versions, all, mine, ...only } = request.query;
    const principal = principalOf(request);
    const apps = await service.listApps(principal, {
      text: query.trim(),
      allVersions: versions === 'all',
      everything: all ?? false,
      ownOnly: mine ?? false,
      tag: only.tag,
      precondition: only.precondition,
      owner: only.owner?.toLowerCase(),
      visibility: only.visibility,
      after: placeOf(pageToken),
      limit: pageSize + 1,
    });
    const { page, next } = cutPage(apps, pageSize, (last) => [last.createdAt.toISOString(), last.id]);
    return { items: page.map((app) => presentApp(app, principal, view)), ...next };
  });
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The place of the last app shown; apps imported meanwhile shift nothing. */
function placeOf(pageToken: string | undefined): PagePoint | undefined {
  const [createdAt, id] = placeAfter(pageToken, isoTime, uuid) ?? [];
  return createdAt === undefined || id === undefined ? undefined : { createdAt: new Date(createdAt), id };
}

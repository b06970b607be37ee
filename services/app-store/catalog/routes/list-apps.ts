import { Type } from '@fastify/type-provider-typebox';
import { invalid } from '@haic/kit/errors.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentApp } from '../present.ts';
import type { PagePoint } from '../service.ts';
import type { CatalogServer, RouteContext } from './context.ts';

const schema = {
  querystring: Type.Object({
    pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    pageToken: Type.Optional(Type.String({ maxLength: 200 })),
    /** PostgreSQL knows no NUL. */
    query: Type.Optional(Type.String({ maxLength: 200, pattern: '^[^\\u0000]*$' })),
    /** Default: of each name only the highest version that the person may see. */
    versions: Type.Optional(Type.Literal('all')),
    /** Administrators: other people's PRIVATE apps too. */
    all: Type.Optional(Type.Boolean()),
    /** Only what the person imported. */
    mine: Type.Optional(Type.Boolean()),
  }),
};

/** GET /api/v1/apps: the newest import first. */
export function listAppsRoute(server: CatalogServer, { service, view }: RouteContext): void {
  server.get('/api/v1/apps', { schema }, async (request) => {
    const { pageSize = 50, pageToken, query = '', versions, all, mine } = request.query;
    const principal = principalOf(request);
    const apps = await service.listApps(principal, {
      text: query.trim(),
      allVersions: versions === 'all',
      everything: all ?? false,
      ownOnly: mine ?? false,
      after: pageToken === undefined ? undefined : readPageToken(pageToken),
      limit: pageSize + 1,
    });
    const page = apps.slice(0, pageSize);
    const last = apps.length > pageSize ? page.at(-1) : undefined;
    return {
      items: page.map((app) => presentApp(app, principal, view)),
      ...(last === undefined ? {} : { nextPageToken: pageTokenOf(last) }),
    };
  });
}

/** The place of the last app shown; apps imported meanwhile shift nothing. */
const pageTokenOf = (point: PagePoint): string =>
  Buffer.from(`${point.createdAt.getTime()} ${point.id}`).toString('base64url');

function readPageToken(token: string): PagePoint {
  const match = /^(\d{1,15}) ([0-9a-f-]{36})$/.exec(Buffer.from(token, 'base64url').toString());
  const createdAt = new Date(Number(match?.[1]));
  if (
    match?.[2] === undefined ||
    Number.isNaN(createdAt.getTime()) ||
    !/^(.{8})-(.{4}-){3}.{12}$/.test(match[2])
  )
    throw invalid(
      'invalid_page_token',
      'This pageToken is not one that a list gave. Start again without it.',
    );
  return { createdAt, id: match[2] };
}

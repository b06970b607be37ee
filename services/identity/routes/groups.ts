import { noContent, problems, Timestamp } from '@haic/kit/http/operation.ts';
import { cutPage, pageOf, pageQuery, readPageToken } from '@haic/kit/http/paging.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import { presentGroup } from '../present.ts';
import { actorOf, type PeopleParts } from './access.ts';
import { searchText } from './schemas.ts';

export const groupsPath = '/api/v1/groups';
const tags = ['People'];

export const GroupSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String({ description: 'As tokens say it.' }),
    members: Type.Integer({ description: 'People.' }),
    serviceAccounts: Type.Integer(),
    createdAt: Timestamp,
  },
  { title: 'Group', additionalProperties: false },
);
const named = Type.Object({ name: Type.String({ maxLength: 128 }) }, { additionalProperties: false });
const byId = Type.Object({ id: Type.String({ maxLength: 128 }) });
const config = { deed: 'administer people' } as const;
const querystring = Type.Object({ ...pageQuery, query: Type.Optional(searchText) });

/** /api/v1/groups: a group has an id of its own, so that its address stays when its name changes. */
export function registerGroupRoutes(scope: HttpServer, { groups }: PeopleParts): void {
  const list = {
    operationId: 'listGroups',
    summary: 'Groups, by name; for administrators',
    tags,
    querystring,
    response: { 200: pageOf(GroupSchema) },
  };
  scope.get(groupsPath, { schema: list, config }, async (request) => {
    const { pageSize = 50, pageToken, query = '' } = request.query as Static<typeof querystring>;
    const [after = ''] = pageToken === undefined || pageToken === '' ? [] : readPageToken(pageToken, noNul);
    const found = await groups.page({ text: query.trim(), after, limit: pageSize + 1 });
    const { page, next } = cutPage(found, pageSize, ({ name }) => [name]);
    return { items: page.map(presentGroup), ...next };
  });

  const create = {
    operationId: 'createGroup',
    summary: 'Make a group',
    tags,
    body: named,
    response: { 201: GroupSchema, ...problems(409) },
  };
  scope.post(
    groupsPath,
    {
      schema: create,
      config: {
        ...config,
        audit: { action: 'actions/identity/groups/CREATE', resource: '//identity/groups/{answer.id}' },
      },
    },
    async (request, reply) => {
      const group = await groups.create((request.body as Static<typeof named>).name, actorOf(request));
      reply.code(201).header('location', `${groupsPath}/${group.id}`);
      return presentGroup(group);
    },
  );

  const get = {
    operationId: 'getGroup',
    summary: 'A group',
    tags,
    params: byId,
    response: { 200: GroupSchema },
  };
  scope.get(`${groupsPath}/:id`, { schema: get, config }, async (request) =>
    presentGroup(await groups.get((request.params as Static<typeof byId>).id)),
  );

  const rename = {
    operationId: 'renameGroup',
    summary: 'Rename a group; who is in it stays in it',
    tags,
    params: byId,
    body: named,
    response: { 200: GroupSchema, ...problems(409) },
  };
  scope.patch(
    `${groupsPath}/:id`,
    {
      schema: rename,
      config: {
        ...config,
        audit: {
          action: 'actions/identity/groups/UPDATE',
          resource: '//identity/groups/{id}',
          parameters: ['name'],
        },
      },
    },
    async (request) => {
      const { id } = request.params as Static<typeof byId>;
      const { name } = request.body as Static<typeof named>;
      return presentGroup(await groups.rename(id, name, actorOf(request)));
    },
  );

  const remove = {
    operationId: 'deleteGroup',
    summary: 'Delete a group and take everybody out of it',
    tags,
    params: byId,
    response: { 204: noContent },
  };
  scope.delete(
    `${groupsPath}/:id`,
    {
      schema: remove,
      config: {
        ...config,
        audit: { action: 'actions/identity/groups/DELETE', resource: '//identity/groups/{id}' },
      },
    },
    async (request, reply) => {
      await groups.remove((request.params as Static<typeof byId>).id, actorOf(request));
      return reply.code(204).send();
    },
  );
}

/** PostgreSQL knows no NUL. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const noNul = /^[^\u0000]{1,128}$/;

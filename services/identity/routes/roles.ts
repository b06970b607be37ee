import { noContent, problems } from '@haic/kit/http/operation.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import { presentRole } from '../present.ts';
import { actorOf, type PeopleParts } from './access.ts';

const rolesPath = '/api/v1/roles';
const tags = ['People'];

const RoleSchema = Type.Object(
  {
    name: Type.String({ description: 'As tokens say it.' }),
    description: Type.String({
      description:
        'What the platform lets whoever has it do; empty for a role that means something to apps only.',
    }),
    members: Type.Integer({ description: 'People.' }),
    serviceAccounts: Type.Integer(),
  },
  { title: 'Role', additionalProperties: false },
);
const config = { deed: 'administer people' } as const;
const member = Type.Object({
  role: Type.String({ maxLength: 128 }),
  username: Type.String({ maxLength: 128 }),
});

/** /api/v1/roles. Who has one: GET /api/v1/people?role=… */
export function registerRoleRoutes(scope: HttpServer, { service }: PeopleParts): void {
  const list = {
    operationId: 'listRoles',
    summary: 'The roles of the platform, and every other one that somebody has; for administrators',
    tags,
    response: { 200: Type.Object({ items: Type.Array(RoleSchema) }, { additionalProperties: false }) },
  };
  scope.get(rolesPath, { schema: list, config }, async () => ({
    items: (await service.roles()).map(presentRole),
  }));

  const path = `${rolesPath}/:role/members/:username`;
  const shared = { tags, params: member, response: { 204: noContent, ...problems(409) } };
  const add = {
    ...shared,
    operationId: 'addRoleMember',
    summary: 'Give a person or a service account a role',
  };
  scope.put(
    path,
    {
      schema: add,
      config: {
        ...config,
        audit: {
          action: 'actions/identity/roles/ASSIGN',
          resource: '//identity/roles/{role}/members/{username}',
        },
      },
    },
    async (request, reply) => {
      const { role, username } = request.params as Static<typeof member>;
      await service.changeRole(username, { add: role }, actorOf(request));
      return reply.code(204).send();
    },
  );
  const remove = {
    ...shared,
    operationId: 'removeRoleMember',
    summary: 'Take a role from a person or a service account; refused for the last administrator',
  };
  scope.delete(
    path,
    {
      schema: remove,
      config: {
        ...config,
        audit: {
          action: 'actions/identity/roles/UNASSIGN',
          resource: '//identity/roles/{role}/members/{username}',
        },
      },
    },
    async (request, reply) => {
      const { role, username } = request.params as Static<typeof member>;
      await service.changeRole(username, { take: role }, actorOf(request));
      return reply.code(204).send();
    },
  );
}

import { noContent } from '@haic/kit/http/operation.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import { actorOf, type PeopleParts } from './access.ts';
import { groupsPath } from './groups.ts';

const member = Type.Object({
  id: Type.String({ maxLength: 128 }),
  username: Type.String({ maxLength: 128 }),
});
const config = { deed: 'administer people' } as const;
const path = `${groupsPath}/:id/members/:username`;

/** PUT and DELETE /api/v1/groups/:id/members/:username. Who is in it: GET /api/v1/people?group=… and /api/v1/service-accounts?group=… */
export function registerGroupMembers(scope: HttpServer, { groups }: PeopleParts): void {
  const shared = { tags: ['People'], params: member, response: { 204: noContent } };
  const add = {
    ...shared,
    operationId: 'addGroupMember',
    summary: 'Put a person or a service account into a group',
  };
  scope.put(
    path,
    {
      schema: add,
      config: {
        ...config,
        audit: {
          action: 'actions/identity/groups/ADDMEMBER',
          resource: '//identity/groups/{id}/members/{username}',
        },
      },
    },
    async (request, reply) => {
      const { id, username } = request.params as Static<typeof member>;
      await groups.addMember(id, username, actorOf(request));
      return reply.code(204).send();
    },
  );
  const remove = {
    ...shared,
    operationId: 'removeGroupMember',
    summary: 'Take a person or a service account out of a group',
  };
  scope.delete(
    path,
    {
      schema: remove,
      config: {
        ...config,
        audit: {
          action: 'actions/identity/groups/REMOVEMEMBER',
          resource: '//identity/groups/{id}/members/{username}',
        },
      },
    },
    async (request, reply) => {
      const { id, username } = request.params as Static<typeof member>;
      await groups.removeMember(id, username, actorOf(request));
      return reply.code(204).send();
    },
  );
}

import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { presentPerson } from '../present.ts';
import type { PeopleService } from '../service.ts';
import { newUser } from './schemas.ts';
import { usersPath } from './users-path.ts';

export function registerAddUser(scope: HttpServer, service: PeopleService): void {
  scope.post(
    usersPath,
    {
      schema: { body: newUser },
      config: {
        deed: 'operate',
        audit: {
          action: 'actions/identity/people/CREATE',
          resource: '//identity/people/{answer.user.username}',
          parameters: ['username', 'roles', 'groups'],
        },
      },
    },
    async (request, reply) => {
      const { password, roles = [], groups = [], ...details } = request.body as Static<typeof newUser>;
      const added = await service.add({ ...details, roles, groups }, password);
      reply.code(201);
      return {
        user: presentPerson(added.person),
        ...(added.password === undefined ? {} : { password: added.password }),
      };
    },
  );
}

import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { presentPerson } from '../present.ts';
import type { PeopleService } from '../service.ts';
import { byUsername, userChanges } from './schemas.ts';
import { usersPath } from './users-path.ts';

export function registerChangeUser(scope: HttpServer, service: PeopleService): void {
  const schema = { params: byUsername, body: userChanges };
  scope.patch(
    `${usersPath}/:username`,
    {
      schema,
      config: {
        deed: 'operate',
        audit: {
          action: 'actions/identity/people/UPDATE',
          resource: '//identity/people/{username}',
          parameters: ['roles', 'groups', 'disabled'],
        },
      },
    },
    async (request) => {
      const { username } = request.params as Static<typeof byUsername>;
      const person = await service.change(username, request.body as Static<typeof userChanges>);
      return { user: presentPerson(person) };
    },
  );
}

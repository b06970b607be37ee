import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import type { PeopleService } from '../service.ts';
import { byUsername } from './schemas.ts';
import { usersPath } from './users-path.ts';

export function registerRemoveUser(scope: HttpServer, service: PeopleService): void {
  scope.delete(
    `${usersPath}/:username`,
    {
      schema: { params: byUsername },
      config: {
        deed: 'operate',
        audit: { action: 'actions/identity/people/DELETE', resource: '//identity/people/{username}' },
      },
    },
    async (request, reply) => {
      await service.remove((request.params as Static<typeof byUsername>).username);
      return reply.code(204).send();
    },
  );
}

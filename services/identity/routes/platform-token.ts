import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import type { PeopleService } from '../service.ts';
import { byUsername } from './schemas.ts';
import { usersPath } from './users-path.ts';

export function registerPlatformToken(scope: HttpServer, service: PeopleService): void {
  const schema = { params: byUsername };
  scope.post(
    `${usersPath}/:username/platform-token`,
    {
      schema,
      config: {
        deed: 'operate',
        audit: { action: 'actions/identity/tokens/CREATE', resource: '//identity/people/{username}/tokens' },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return service.platformToken((request.params as Static<typeof byUsername>).username);
    },
  );
}

import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import type { PeopleService } from '../service.ts';
import { byUsername, newPassword } from './schemas.ts';
import { usersPath } from './users-path.ts';

export function registerResetPassword(scope: HttpServer, service: PeopleService): void {
  const schema = { params: byUsername, body: newPassword };
  scope.post(
    `${usersPath}/:username/password`,
    {
      schema,
      config: {
        deed: 'operate',
        audit: { action: 'actions/identity/people/RESETPASSWORD', resource: '//identity/people/{username}' },
      },
    },
    async (request) => {
      const { username } = request.params as Static<typeof byUsername>;
      const { password } = request.body as Static<typeof newPassword>;
      return service.resetPassword(username, password);
    },
  );
}

import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { actorOf, type PeopleParts, peoplePath } from './people.ts';
import { byUsername } from './schemas.ts';

/** POST /api/v1/people/:username/password: a new one, in this answer and nowhere else; ends the person's sessions and tokens. */
export function registerReplacePassword(scope: HttpServer, { service }: PeopleParts): void {
  const schema = { params: byUsername };
  scope.post(`${peoplePath}/:username/password`, { schema }, async (request) => {
    const { username } = request.params as Static<typeof byUsername>;
    return service.resetPassword(username, undefined, actorOf(request));
  });
}

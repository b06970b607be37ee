import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { actorOf, type PeopleParts, peoplePath } from './people.ts';
import { byUsername } from './schemas.ts';

export function registerRemovePerson(scope: HttpServer, { service }: PeopleParts): void {
  scope.delete(`${peoplePath}/:username`, { schema: { params: byUsername } }, async (request, reply) => {
    await service.remove((request.params as Static<typeof byUsername>).username, actorOf(request));
    return reply.code(204).send();
  });
}

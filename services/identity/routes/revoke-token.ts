import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { actorOf, type PeopleParts } from './people.ts';
import type { byUsername } from './schemas.ts';

/** Of the person in the path, else of who asks. */
export function registerRevokeToken(scope: HttpServer, { service, tokens }: PeopleParts, path: string): void {
  scope.delete(path, async (request, reply) => {
    const { username, id } = request.params as Partial<Static<typeof byUsername>> & { id: string };
    await tokens.revoke(username === undefined ? actorOf(request) : await service.get(username), id);
    return reply.code(204).send();
  });
}

import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { presentPerson } from '../present.ts';
import { actorOf, type PeopleParts, peoplePath } from './people.ts';
import { byUsername, userChanges } from './schemas.ts';

export function registerChangePerson(scope: HttpServer, { service }: PeopleParts): void {
  const schema = { params: byUsername, body: userChanges };
  scope.patch(`${peoplePath}/:username`, { schema }, async (request) => {
    const { username } = request.params as Static<typeof byUsername>;
    const changes = request.body as Static<typeof userChanges>;
    return presentPerson(await service.change(username, changes, actorOf(request)));
  });
}

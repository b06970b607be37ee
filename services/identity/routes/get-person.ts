import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { presentPerson } from '../present.ts';
import { type PeopleParts, peoplePath } from './people.ts';
import { byUsername } from './schemas.ts';

export function registerGetPerson(scope: HttpServer, { service }: PeopleParts): void {
  scope.get(`${peoplePath}/:username`, { schema: { params: byUsername } }, async (request) =>
    presentPerson(await service.get((request.params as Static<typeof byUsername>).username)),
  );
}

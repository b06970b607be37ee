import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { presentPerson } from '../present.ts';
import { type PeopleParts, peoplePath } from './access.ts';
import { PersonSchema, tags } from './answers.ts';
import { byUsername } from './schemas.ts';

const schema = {
  operationId: 'getPerson',
  summary: 'A person.',
  tags: tags.people,
  params: byUsername,
  response: { 200: PersonSchema },
};

export function registerGetPerson(scope: HttpServer, { service }: PeopleParts): void {
  scope.get(`${peoplePath}/:username`, { schema, config: { deed: 'administer people' } }, async (request) =>
    presentPerson(await service.get((request.params as Static<typeof byUsername>).username)),
  );
}

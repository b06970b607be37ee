import { problems } from '@haic/kit/http/operation.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { presentPerson } from '../present.ts';
import { actorOf, type PeopleParts, peoplePath } from './access.ts';
import { PersonSchema, tags } from './answers.ts';
import { byUsername, userChanges } from './schemas.ts';

const schema = {
  operationId: 'changePerson',
  summary: 'Changes a person. Disabling ends their sessions and tokens.',
  tags: tags.people,
  params: byUsername,
  body: userChanges,
  response: { 200: PersonSchema, ...problems(409) },
};

export function registerChangePerson(scope: HttpServer, { service }: PeopleParts): void {
  scope.patch(
    `${peoplePath}/:username`,
    {
      schema,
      config: {
        deed: 'administer people',
        audit: {
          action: 'actions/identity/people/UPDATE',
          resource: '//identity/people/{username}',
          parameters: ['roles', 'groups', 'disabled'],
        },
      },
    },
    async (request) => {
      const { username } = request.params as Static<typeof byUsername>;
      const changes = request.body as Static<typeof userChanges>;
      return presentPerson(await service.change(username, changes, actorOf(request)));
    },
  );
}

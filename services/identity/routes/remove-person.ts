import { noContent, problems } from '@haic/kit/http/operation.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { actorOf, type PeopleParts, peoplePath } from './access.ts';
import { tags } from './answers.ts';
import { byUsername } from './schemas.ts';

const schema = {
  operationId: 'removePerson',
  summary: 'Removes a person for good, with their sessions and tokens.',
  tags: tags.people,
  params: byUsername,
  response: { 204: noContent, ...problems(409) },
};

export function registerRemovePerson(scope: HttpServer, { service }: PeopleParts): void {
  scope.delete(
    `${peoplePath}/:username`,
    {
      schema,
      config: {
        deed: 'administer people',
        audit: { action: 'actions/identity/people/DELETE', resource: '//identity/people/{username}' },
      },
    },
    async (request, reply) => {
      await service.remove((request.params as Static<typeof byUsername>).username, actorOf(request));
      return reply.code(204).send();
    },
  );
}

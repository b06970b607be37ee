import { problems } from '@haic/kit/http/operation.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { actorOf, type PeopleParts, peoplePath } from './access.ts';
import { NewPasswordSchema, tags } from './answers.ts';
import { byUsername } from './schemas.ts';

const schema = {
  operationId: 'replacePassword',
  summary: 'Gives a person a new, generated password and ends their sessions and tokens.',
  tags: tags.people,
  params: byUsername,
  response: { 200: NewPasswordSchema, ...problems(409) },
};

/** POST /api/v1/people/:username/password: a new one, in this answer and nowhere else; ends the person's sessions and tokens. */
export function registerReplacePassword(scope: HttpServer, { service }: PeopleParts): void {
  scope.post(
    `${peoplePath}/:username/password`,
    {
      schema,
      config: {
        deed: 'make passwords and secrets',
        audit: { action: 'actions/identity/people/RESETPASSWORD', resource: '//identity/people/{username}' },
      },
    },
    async (request) => {
      const { username } = request.params as Static<typeof byUsername>;
      return service.resetPassword(username, undefined, actorOf(request));
    },
  );
}

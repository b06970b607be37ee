import { noContent } from '@haic/kit/http/operation.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import { actorOf, ownTokensPath, type PeopleParts, peoplePath } from './access.ts';
import { tags } from './answers.ts';
import { byUsername } from './schemas.ts';

const id = Type.String({ maxLength: 128 });
const own = Type.Object({ id });
const ofPerson = Type.Object({ ...byUsername.properties, id });
const shared = { tags: tags.tokens, response: { 204: noContent } };

/** Of who asks. */
export function registerRevokeOwnToken(scope: HttpServer, { tokens }: PeopleParts): void {
  const schema = {
    ...shared,
    operationId: 'revokeOwnToken',
    summary: 'Ends one’s own session or token.',
    params: own,
  };
  scope.delete(
    `${ownTokensPath}/:id`,
    {
      schema,
      config: {
        deed: 'see and end own sign-ins',
        audit: { action: 'actions/identity/tokens/REVOKE', resource: '//identity/tokens' },
      },
    },
    async (request, reply) => {
      await tokens.revoke(actorOf(request), (request.params as Static<typeof own>).id);
      return reply.code(204).send();
    },
  );
}

/** Of the person in the path, for administrators. */
export function registerRevokeToken(scope: HttpServer, { service, tokens }: PeopleParts): void {
  const schema = {
    ...shared,
    operationId: 'revokeTokenOfPerson',
    summary: 'Ends a session or token of a person.',
    params: ofPerson,
  };
  scope.delete(
    `${peoplePath}/:username/tokens/:id`,
    {
      schema,
      config: {
        deed: 'administer people',
        audit: { action: 'actions/identity/tokens/REVOKE', resource: '//identity/people/{username}/tokens' },
      },
    },
    async (request, reply) => {
      const { username, id } = request.params as Static<typeof ofPerson>;
      await tokens.revoke(await service.get(username), id);
      return reply.code(204).send();
    },
  );
}

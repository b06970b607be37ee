import { Type } from '@fastify/type-provider-typebox';
import { idOfNew } from '@haic/kit/http/idempotency/hook.ts';
import { problems } from '@haic/kit/http/operation.ts';
import { presentAccount } from '../present.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { AccountSchema, accountTags, connecting } from './schemas.ts';

const schema = {
  operationId: 'createConnectedAccount',
  summary: 'Makes an account to connect. Its login, which only a browser can do, is the next step.',
  tags: accountTags,
  body: Type.Object(
    {
      client: Type.String({ maxLength: 200, description: 'Id of the OAuth client.' }),
      id: Type.Optional(
        Type.String({ maxLength: 200, description: 'How apps call it; made up when left out.' }),
      ),
    },
    { additionalProperties: false },
  ),
  response: { 201: AccountSchema, ...problems(404, 409) },
};

/** POST /api/v1/connected-accounts */
export function createAccountRoute(server: SecretsServer, { accounts }: RouteContext): void {
  const config = {
    ...connecting('actions/securestore/tokenSources/CREATE', 'tokenSources'),
    idempotent: { secrets: [] },
  };
  server.post('/api/v1/connected-accounts', { schema, config }, async (request, reply) => {
    const { client, id = '' } = request.body;
    const place = { client: { id: client }, id };
    const account = await accounts.create(callerOf(request), place, idOfNew(request));
    return reply.code(201).send(presentAccount(account));
  });
}

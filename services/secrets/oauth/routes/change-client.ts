import { Type } from '@fastify/type-provider-typebox';
import { oauthClientName } from '../model.ts';
import { clientAnswer } from './client-answer.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { administering, ClientParams, ClientSchema, changeableFields, clientTags } from './schemas.ts';

const schema = {
  operationId: 'changeOAuthClient',
  summary: 'Changes what is sent of an OAuth client. Its provider and its id there never change.',
  tags: clientTags,
  params: ClientParams,
  body: Type.Object(changeableFields, { additionalProperties: false, minProperties: 1 }),
  response: { 200: ClientSchema },
};

/** PATCH /api/v1/oauth-clients/:client */
export function changeClientRoute(server: SecretsServer, context: RouteContext): void {
  server.patch(
    '/api/v1/oauth-clients/:client',
    { schema, config: administering('actions/securestore/oauthClients/UPDATE') },
    async (request) => {
      const name = oauthClientName({ id: request.params.client });
      return clientAnswer(context, await context.clients.update(callerOf(request), name, request.body));
    },
  );
}

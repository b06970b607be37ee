import { Type } from '@fastify/type-provider-typebox';
import { oauthClientName } from '../model.ts';
import { clientAnswer } from './client-answer.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { administering, ClientParams, ClientSchema, ClientSecret, clientTags } from './schemas.ts';

const schema = {
  operationId: 'replaceOAuthClientSecret',
  summary: 'Replaces the secret of an OAuth client, after it was changed at the provider.',
  tags: clientTags,
  params: ClientParams,
  body: Type.Object({ clientSecret: ClientSecret }, { additionalProperties: false }),
  response: { 200: ClientSchema },
};

/** PUT /api/v1/oauth-clients/:client/secret */
export function replaceClientSecretRoute(server: SecretsServer, context: RouteContext): void {
  server.put(
    '/api/v1/oauth-clients/:client/secret',
    { schema, config: administering('actions/securestore/oauthClients/REPLACESECRET') },
    async (request) => {
      const name = oauthClientName({ id: request.params.client });
      const { clientSecret } = request.body;
      return clientAnswer(
        context,
        await context.clients.replaceSecret(callerOf(request), name, clientSecret),
      );
    },
  );
}

import { Type } from '@fastify/type-provider-typebox';
import { pageOf, pageQuery } from '@haic/kit/http/paging.ts';
import { presentClient } from '../present.ts';
import type { RouteContext, SecretsServer } from './context.ts';
import { ClientSchema, clientTags, lookingAtClients } from './schemas.ts';

const schema = {
  operationId: 'listOAuthClients',
  summary: 'What one can connect accounts with. Without the clients’ secrets.',
  tags: clientTags,
  querystring: Type.Object({
    ...pageQuery,
    query: Type.Optional(
      Type.String({
        maxLength: 200,
        pattern: '^[^\\u0000]*$',
        description: 'Part of the id, display name or issuer.',
      }),
    ),
  }),
  response: { 200: pageOf(ClientSchema) },
};

/** GET /api/v1/oauth-clients */
export function listClientsRoute(server: SecretsServer, context: RouteContext): void {
  const { clients, callbackUriOf, namesOf } = context;
  server.get(
    '/api/v1/oauth-clients',
    { schema, config: lookingAtClients('actions/securestore/oauthClients/LIST', 'oauthClients') },
    async (request) => {
      const { pageSize = 0, pageToken = '', query = '' } = request.query;
      const found = await clients.list({ pageSize, pageToken, query: query.trim() });
      const people = found.clients.flatMap(({ creator, updated }) => [creator, updated?.by ?? creator]);
      const nameOf = await namesOf(people);
      return {
        items: found.clients.map((client) => presentClient(client, callbackUriOf(client), nameOf)),
        ...(found.nextPageToken === '' ? {} : { nextPageToken: found.nextPageToken }),
      };
    },
  );
}

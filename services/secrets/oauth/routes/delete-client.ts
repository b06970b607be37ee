import { noContent } from '@haic/kit/http/operation.ts';
import { oauthClientName } from '../model.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { administering, ClientParams, clientTags } from './schemas.ts';

const schema = {
  operationId: 'deleteOAuthClient',
  summary: 'Deletes an OAuth client, and disconnects all accounts that people have by it.',
  tags: clientTags,
  params: ClientParams,
  response: { 204: noContent },
};

/** DELETE /api/v1/oauth-clients/:client */
export function deleteClientRoute(server: SecretsServer, { clients }: RouteContext): void {
  const at = '/api/v1/oauth-clients/:client';
  server.delete(
    at,
    { schema, config: administering('actions/securestore/oauthClients/DELETE') },
    async (request, reply) => {
      await clients.remove(callerOf(request), oauthClientName({ id: request.params.client }));
      return reply.code(204).send();
    },
  );
}

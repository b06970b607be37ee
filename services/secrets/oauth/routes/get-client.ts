import { oauthClientName } from '../model.ts';
import { clientAnswer } from './client-answer.ts';
import type { RouteContext, SecretsServer } from './context.ts';
import { ClientParams, ClientSchema, clientTags, lookingAtClients } from './schemas.ts';

const schema = {
  operationId: 'getOAuthClient',
  summary: 'An OAuth client, without its secret.',
  tags: clientTags,
  params: ClientParams,
  response: { 200: ClientSchema },
};

/** GET /api/v1/oauth-clients/:client */
export function getClientRoute(server: SecretsServer, context: RouteContext): void {
  const config = lookingAtClients('actions/securestore/oauthClients/GET');
  server.get('/api/v1/oauth-clients/:client', { schema, config }, async ({ params }) =>
    clientAnswer(context, await context.clients.get(oauthClientName({ id: params.client }))),
  );
}

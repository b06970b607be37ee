import { Type } from '@fastify/type-provider-typebox';
import { idOfNew } from '@haic/kit/http/idempotency/hook.ts';
import { problems } from '@haic/kit/http/operation.ts';
import { clientAnswer } from './client-answer.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { administering, ClientSchema, ClientSecret, changeableFields, clientTags } from './schemas.ts';

const address = Type.Optional(Type.String({ maxLength: 10_000 }));

const schema = {
  operationId: 'createOAuthClient',
  summary: 'Registers what Haic is at another provider, for people to connect their accounts there.',
  tags: clientTags,
  body: Type.Object(
    {
      id: Type.Optional(Type.String({ maxLength: 200, description: 'Made up when left out.' })),
      issuer: Type.String({ maxLength: 10_000 }),
      clientId: Type.String({ maxLength: 10_000, description: 'The client’s id at the provider.' }),
      clientSecret: Type.Optional(ClientSecret),
      ...{ authorizationEndpoint: address, tokenEndpoint: address },
      oidcDisabled: Type.Optional(Type.Boolean({ description: 'Plain OAuth 2.0, without an ID token.' })),
      ...changeableFields,
    },
    { additionalProperties: false },
  ),
  response: { 201: ClientSchema, ...problems(409) },
};
const config = {
  ...administering('actions/securestore/oauthClients/CREATE', 'oauthClients'),
  idempotent: { secrets: [] },
};

/** What the provider is asked with unless it is said otherwise. */
const usual = {
  ...{ displayName: '', clientSecret: '', authorizationEndpoint: '', tokenEndpoint: '' },
  ...{ extraScopes: [], refreshDisabled: false, oidcDisabled: false, loginPrincipalClaim: '' },
};

/** POST /api/v1/oauth-clients */
export function createClientRoute(server: SecretsServer, context: RouteContext): void {
  server.post('/api/v1/oauth-clients', { schema, config }, async (request, reply) => {
    const { id = '', ...settings } = request.body;
    const wanted = { ...usual, ...settings };
    const client = await context.clients.create(callerOf(request), id, wanted, idOfNew(request));
    return reply.code(201).send(await clientAnswer(context, client));
  });
}

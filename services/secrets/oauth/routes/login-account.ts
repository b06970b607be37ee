import { Type } from '@fastify/type-provider-typebox';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { AccountParams, accountTags, loggingIn, placeOf } from './schemas.ts';

const schema = {
  operationId: 'logInConnectedAccount',
  summary: 'Begins the login at the provider, in the browser that asks.',
  description:
    'For the portal: with the answer that browser gets a cookie, without which the provider’s answer is worth nothing. It comes back to the page of connected accounts.',
  tags: accountTags,
  params: AccountParams,
  response: {
    200: Type.Object(
      { url: Type.String({ description: 'Where at the provider the browser is to go.' }) },
      { additionalProperties: false },
    ),
  },
};

/** POST /api/v1/connected-accounts/:client/:account/login */
export function logInAccountRoute(server: SecretsServer, { accounts, cookies }: RouteContext): void {
  const at = '/api/v1/connected-accounts/:client/:account/login';
  server.post(at, { schema, config: loggingIn }, async (request, reply) => {
    const { url, state, browser } = await accounts.login(callerOf(request), placeOf(request.params));
    cookies.give(reply, state, browser);
    reply.header('cache-control', 'no-store');
    return { url };
  });
}

import { noContent } from '@haic/kit/http/operation.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { AccountParams, accountTags, connecting, placeOf } from './schemas.ts';

const schema = {
  operationId: 'deleteConnectedAccount',
  summary: 'Disconnects an account: its tokens are revoked at the provider, as far as it can be reached.',
  tags: accountTags,
  params: AccountParams,
  response: { 204: noContent },
};

/** DELETE /api/v1/connected-accounts/:client/:account */
export function deleteAccountRoute(server: SecretsServer, { accounts }: RouteContext): void {
  const at = '/api/v1/connected-accounts/:client/:account';
  server.delete(
    at,
    { schema, config: connecting('actions/securestore/tokenSources/DELETE') },
    async (request, reply) => {
      await accounts.remove(callerOf(request), placeOf(request.params));
      return reply.code(204).send();
    },
  );
}

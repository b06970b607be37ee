import { presentAccount } from '../present.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { AccountParams, AccountSchema, accountTags, connecting, placeOf } from './schemas.ts';

const schema = {
  operationId: 'getConnectedAccount',
  summary: 'An account of one’s own at another provider, and how it stands. Without its tokens.',
  tags: accountTags,
  params: AccountParams,
  response: { 200: AccountSchema },
};

/** GET /api/v1/connected-accounts/:client/:account */
export function getAccountRoute(server: SecretsServer, { accounts }: RouteContext): void {
  server.get(
    '/api/v1/connected-accounts/:client/:account',
    { schema, config: connecting('actions/securestore/tokenSources/GET') },
    async (request) => presentAccount(await accounts.get(callerOf(request), placeOf(request.params))),
  );
}

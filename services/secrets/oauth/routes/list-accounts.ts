import { Type } from '@fastify/type-provider-typebox';
import { pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import { anyId } from '../../pages.ts';
import { presentAccount } from '../present.ts';
import { callerOf, type RouteContext, type SecretsServer } from './context.ts';
import { AccountSchema, accountTags, connecting } from './schemas.ts';

const schema = {
  operationId: 'listConnectedAccounts',
  summary: 'One’s accounts at other providers, and how each stands. Without their tokens.',
  tags: accountTags,
  querystring: Type.Object(pageQuery),
  response: { 200: pageOf(AccountSchema) },
};

/** GET /api/v1/connected-accounts */
export function listAccountsRoute(server: SecretsServer, { accounts }: RouteContext): void {
  server.get(
    '/api/v1/connected-accounts',
    { schema, config: connecting('actions/securestore/tokenSources/LIST', 'tokenSources') },
    async (request) => {
      const { pageSize: limit = 50, pageToken } = request.query;
      const [client, id] = placeAfter(pageToken, anyId, anyId) ?? [];
      const after = client === undefined || id === undefined ? undefined : { client: { id: client }, id };
      const { accounts: page, next } = await accounts.list(callerOf(request), { after, limit });
      return { items: page.map(presentAccount), ...next };
    },
  );
}

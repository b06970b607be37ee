import type { HttpServer } from '@haic/kit/http/server.ts';
import { withTypes } from '../../routes/server.ts';
import { changeClientRoute } from './change-client.ts';
import type { RouteContext } from './context.ts';
import { createAccountRoute } from './create-account.ts';
import { createClientRoute } from './create-client.ts';
import { deleteAccountRoute } from './delete-account.ts';
import { deleteClientRoute } from './delete-client.ts';
import { getAccountRoute } from './get-account.ts';
import { getClientRoute } from './get-client.ts';
import { listAccountsRoute } from './list-accounts.ts';
import { listClientPeopleRoute } from './list-client-people.ts';
import { listClientsRoute } from './list-clients.ts';
import { logInAccountRoute } from './login-account.ts';
import { replaceClientSecretRoute } from './replace-client-secret.ts';

/** Connected accounts and OAuth clients in `/api/v1`, for pages: no token and no secret is in any answer. */
export function registerAccountRoutes(plain: HttpServer, context: RouteContext): void {
  const server = withTypes(plain);
  for (const route of [
    ...[listAccountsRoute, createAccountRoute, getAccountRoute, logInAccountRoute, deleteAccountRoute],
    ...[listClientsRoute, createClientRoute, getClientRoute, changeClientRoute, replaceClientSecretRoute],
    ...[listClientPeopleRoute, deleteClientRoute],
  ])
    route(server, context);
}

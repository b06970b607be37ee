import type { Names } from '../../names.ts';
import type { LoginCookies } from '../../routes/login-cookies.ts';
import type { AccountsService } from '../accounts.ts';
import type { OAuthClientsService } from '../clients.ts';
import type { OAuthClient } from '../model.ts';

export { callerOf, type SecretsServer } from '../../routes/server.ts';

export interface RouteContext {
  readonly accounts: AccountsService;
  readonly clients: OAuthClientsService;
  readonly callbackUriOf: (client: OAuthClient) => string;
  readonly cookies: LoginCookies;
  /** Looks up who is named in an answer. */
  readonly namesOf: (principals: readonly string[]) => Promise<Names>;
}

import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import type { ServedService } from '@haic/kit/grpc-gateway/service.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import { LRUCache } from 'lru-cache';
import { namesOf } from '../names.ts';
import { connectionsPath, registerConnections } from '../routes/connections.ts';
import { createLoginCookies } from '../routes/login-cookies.ts';
import { serveOAuthClients } from '../routes/oauth-clients.ts';
import { serveTokenSources } from '../routes/token-sources.ts';
import type { Vault } from '../sealing/vault.ts';
import { createAccountsService } from './accounts.ts';
import { createOAuthClientsService } from './clients.ts';
import { createLogins } from './login.ts';
import type { OAuthClient, SourcePlace } from './model.ts';
import { createOutbound } from './outbound.ts';
import { createProvider, type Provider } from './provider.ts';
import { registerAccountRoutes } from './routes/routes.ts';
import { createTokenSourcesService } from './sources.ts';
import { createOAuthStore } from './store.ts';
import { createTokenKeeper } from './tokens.ts';

export interface OAuthParts {
  readonly services: readonly ServedService[];
  register(server: HttpServer): void;
  /** Removes what somebody connected, if they are gone for good; who is only disabled may come back. */
  whenPersonEnds(subject: string): Promise<void>;
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/** After this a provider is asked anew where its endpoints are. */
const knownForMs = 60 * 60 * 1000;

/** OAuth clients, token sources, and the browser's way to the providers. */
export function createOAuth(options: {
  readonly database: Database;
  readonly vault: Vault;
  readonly audit: AuditWriter;
  readonly countReveal: (subject: string) => void;
  readonly publicUrl: string;
  readonly verifyToken: TokenVerifier;
  readonly isGone: (subject: string) => Promise<boolean>;
  readonly identity: Pick<IdentityClient, 'findPerson'>;
  readonly logger: Logger;
  readonly now: () => Date;
}): OAuthParts {
  const { database, vault, audit, countReveal, publicUrl, verifyToken, isGone, identity, logger, now } =
    options;
  const addresses = addressesAt(publicUrl);
  const outbound = createOutbound();
  const store = createOAuthStore({ database, vault });

  const known = new LRUCache<string, Promise<Provider>>({ max: 500, ttl: knownForMs });
  const providerOf = (client: OAuthClient): Promise<Provider> => {
    const key = `${client.uid} ${client.updated?.at.getTime() ?? 0}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = store.clientSecret(client).then((clientSecret) => {
      const callbackUri = addresses.callback(client);
      return createProvider({ client, clientSecret, callbackUri, outbound, now });
    });
    known.set(key, made);
    made.catch(() => known.delete(key));
    return made;
  };

  const tokens = createTokenKeeper({ store, providerOf, audit, logger, now });
  const clients = createOAuthClientsService({ store, tokens, audit, now });
  const loginUriOf = addresses.login;
  const sources = createTokenSourcesService({ store, tokens, audit, loginUriOf, countReveal, now });
  const logins = createLogins({ store, providerOf, audit, now });
  const accounts = createAccountsService({
    ...{ store, tokens, sources, logins, pageOf: addresses.accountsPage, now },
  });
  const cookies = createLoginCookies(publicUrl);
  const whenPersonEnds = async (subject: string): Promise<void> => {
    if (await isGone(subject)) await sources.removeOf(subject);
  };
  return {
    services: [serveOAuthClients(clients, addresses.callback), serveTokenSources(sources)],
    register: (server) => {
      const { accountsPage } = addresses;
      registerConnections(server, { logins, cookies, accountsPage, publicUrl, verifyToken });
      registerAccountRoutes(server, {
        ...{ accounts, clients, cookies, callbackUriOf: addresses.callback },
        namesOf: (principals) => namesOf(identity, principals),
      });
    },
    whenPersonEnds,
    sweep: async () => {
      await store.sweepLogins(now());
      // Whose end was not heard of, since Haic was killed just then.
      for (const owner of await store.owners()) await whenPersonEnds(owner);
    },
    stop: async () => {
      await tokens.settled();
      await outbound.close();
    },
  };
}

const addressesAt = (publicUrl: string) => ({
  login: (secret: string): string => `${publicUrl}${connectionsPath}/login/${secret}`,
  callback: ({ id }: Pick<OAuthClient, 'id'>): string => `${publicUrl}${connectionsPath}/${id}/callback`,
  accountsPage: (returned?: SourcePlace): string => {
    const page = `${publicUrl}/connected-accounts`;
    if (returned === undefined) return page;
    return `${page}?returned=${encodeURIComponent(`${returned.client.id}/${returned.id}`)}`;
  },
});

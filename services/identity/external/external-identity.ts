import type { Fetch } from '@haic/kit/http/client.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import { deriveKey } from '@haic/kit/keys.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { IdentityClient, PeopleDirectory, WhenPersonEnds } from '../client.ts';
import { registerStanding } from '../routes/standing.ts';
import { createSignInStanding } from '../sign-in-standing.ts';
import { appGrantCallbackPath, createExternalAppClients } from './app-clients.ts';
import { createExternalDirectory } from './directory.ts';
import { createGrantsStanding } from './grants-standing.ts';
import { type ClientCredentials, createIssuerConnection } from './issuer-connection.ts';
import { createKeycloakRegistration } from './keycloak-registration.ts';
import { createKeycloakStanding } from './keycloak-standing.ts';
import { registerLeftBehind } from './left-behind-route.ts';
import { createPeopleStanding } from './people-standing.ts';
import { createRegisteredClients } from './registered-clients.ts';
import { registerRouterRoutes } from './router-routes.ts';
import { rememberPeople } from './seen-people.ts';
import { createExternalStore } from './store.ts';

export interface ExternalIdentityOptions {
  /** `identityMigrations` applied. */
  readonly database: Database;
  /** No trailing slash. */
  readonly publicUrl: string;
  /** The realm's address, byte for byte as in its tokens. */
  readonly issuer: string;
  readonly masterKey: Buffer;
  /** `haic-service-core` at the issuer: may register clients and, best, see whether people are disabled. */
  readonly serviceClient: ClientCredentials;
  readonly logger: Logger;
  /** Dials the issuer. */
  readonly fetch: Fetch;
  /** Nobody by default. */
  readonly whenPersonEnds?: WhenPersonEnds;
}

export interface ExternalIdentity {
  /** Remembers who asks, and mounts what the router asks for. */
  register(server: HttpServer): void;
  readonly client: IdentityClient;
  readonly directory: PeopleDirectory;
}

/** Identity where people, their sign-in and their roles are the business of an issuer of the organisation (Keycloak). */
export function createExternalIdentity(options: ExternalIdentityOptions): ExternalIdentity {
  const { database, publicUrl, issuer, logger, fetch } = options;
  const store = createExternalStore(database, deriveKey(options.masterKey, 'identity:external-issuer'));
  const connection = createIssuerConnection(options);
  const { serviceToken } = connection;
  const registration = createKeycloakRegistration({ issuer, fetch, serviceToken });
  const standing = createPeopleStanding({
    sources: [
      createKeycloakStanding({ issuer, fetch, serviceToken, lastSeen: store.lastSeen, logger }),
      createGrantsStanding({ store, connection, logger }),
    ],
    whenPersonEnds: options.whenPersonEnds ?? (async () => undefined),
    logger,
  });
  const clients = createRegisteredClients({
    store,
    registration,
    connection,
    grantRedirectUri: `${publicUrl}${appGrantCallbackPath}`,
    logger,
  });
  const appClients = createExternalAppClients({ store, clients, connection, standing, logger });
  return {
    client: appClients,
    directory: createExternalDirectory(database, standing),
    register: (server) => {
      rememberPeople(server, store, logger);
      registerRouterRoutes(server, appClients);
      registerStanding(
        server,
        createSignInStanding({
          activeAmong: appClients.activeAmong,
          isInstanceKnown: async (id) => (await store.findClient(id)) !== undefined,
        }),
      );
      registerLeftBehind(server, clients);
    },
  };
}

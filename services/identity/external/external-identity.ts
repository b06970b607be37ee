import type { Fetch } from '@haic/kit/http/client.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import { deriveKey } from '@haic/kit/keys.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { IdentityClient } from '../client.ts';
import { createExternalAppClients } from './app-clients.ts';
import { registerAppGrantRoutes } from './app-grants-routes.ts';
import { type ClientCredentials, createIssuerConnection } from './issuer-connection.ts';
import { createKeycloakRegistration } from './keycloak-registration.ts';
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
  /** `haic-service-core` at the issuer: may register clients. */
  readonly serviceClient: ClientCredentials;
  readonly logger: Logger;
  /** Dials the issuer. */
  readonly fetch: Fetch;
}

export interface ExternalIdentity {
  /** Remembers who asks, and mounts what the router asks for. */
  register(server: HttpServer): void;
  readonly client: IdentityClient;
}

/** Identity where people, their sign-in and their roles are the business of an issuer of the organisation (Keycloak). */
export function createExternalIdentity(options: ExternalIdentityOptions): ExternalIdentity {
  const { database, publicUrl, issuer, logger, fetch } = options;
  const store = createExternalStore(database, deriveKey(options.masterKey, 'identity:external-issuer'));
  const connection = createIssuerConnection(options);
  const registration = createKeycloakRegistration({ issuer, fetch, serviceToken: connection.serviceToken });
  const appClients = createExternalAppClients({ publicUrl, store, registration, connection, logger });
  return {
    client: appClients,
    register: (server) => {
      rememberPeople(server, store, logger);
      registerAppGrantRoutes(server, appClients);
    },
  };
}

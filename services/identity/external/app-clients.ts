import { randomBytes } from 'node:crypto';
import { forbidden, messageOf, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { AppGrantsClient, IdentityClient } from '../client.ts';
import { appClientIdOf } from '../provider/clients.ts';
import type { ClientRegistration } from './client-registration.ts';
import type { IssuerConnection } from './issuer-connection.ts';
import type { ExternalStore, RegisteredClient } from './store.ts';

/** Where the issuer sends a person's browser with their leave for an app; the router listens there. */
export const appGrantCallbackPath = '/auth/app-grant/callback';

/**
 * The clients of app instances at the organisation's issuer, and the people it vouched for.
 *
 * Haic cannot mint tokens there, so an app acts for its owner by a grant: when the owner opens the instance, the router fetches a lasting
 * refresh token of the app's own client for them, without a page as long as they are signed in. It is kept here, sealed, and never
 * reaches the app.
 */
export function createExternalAppClients(parts: {
  publicUrl: string;
  store: ExternalStore;
  registration: ClientRegistration;
  connection: IssuerConnection;
  logger: Logger;
}): IdentityClient & AppGrantsClient {
  const { store, registration, connection, logger } = parts;
  const credentialsOf = ({ clientId, clientSecret }: RegisteredClient) => ({
    id: clientId,
    secret: clientSecret,
  });

  async function registered(instanceId: string): Promise<RegisteredClient> {
    const client = await store.findClient(instanceId);
    if (client === undefined) throw notFound(`The instance ${instanceId}`);
    return client;
  }

  async function remove(client: RegisteredClient): Promise<void> {
    await registration.remove(client.clientId, client.registrationToken);
    await store.removeClient(client.instanceId);
  }

  return {
    registerAppClient: async ({ instanceId, redirectUri, postLogoutRedirectUri, name }) => {
      const before = await store.findClient(instanceId);
      if (before !== undefined) await remove(before);
      const clientId = appClientIdOf(instanceId);
      const clientSecret = randomBytes(32).toString('base64url');
      const { registrationToken } = await registration.register({
        clientId,
        clientSecret,
        name: name.trim() === '' ? instanceId : name.trim(),
        redirectUris: [redirectUri, `${parts.publicUrl}${appGrantCallbackPath}`],
        postLogoutRedirectUri,
      });
      await store.putClient({ instanceId, clientId, clientSecret, registrationToken });
      return { clientId, clientSecret };
    },

    removeAppClient: async (instanceId) => {
      const client = await store.findClient(instanceId);
      if (client !== undefined) await remove(client);
    },

    listAppClients: () => store.listClients(),

    mintAppToken: async ({ instanceId, subject }) => {
      const client = await registered(instanceId);
      const grant = await store.findGrant(instanceId);
      if (grant?.subject !== subject)
        throw forbidden(
          'grant_missing',
          'This app may not act for its owner yet. Open it once in a browser, signed in.',
        );
      const token = await connection.refresh(credentialsOf(client), grant.refreshToken);
      if (token !== 'refused') return token;
      await store.removeGrant(instanceId);
      logger.info({ instanceId }, 'The issuer ended what an app was granted.');
      throw forbidden(
        'person_unavailable',
        'The sign-in service no longer lets this app act for its owner. Open it in a browser to grant it again.',
      );
    },

    findPerson: async (subject) => {
      const person = await store.findPerson(subject);
      // Whether somebody is disabled is the issuer's to know: it gives them no tokens then.
      return person === undefined ? undefined : { ...person, disabled: false };
    },

    findPersonByName: async (username) => {
      const person = await store.findPersonByName(username);
      return person === undefined ? undefined : { ...person, disabled: false };
    },

    activeAmong: async (subjects) => subjects,

    grantNeeded: async ({ instanceId, subject }) => {
      const client = await store.findClient(instanceId);
      if (client === undefined) return undefined;
      const grant = await store.findGrant(instanceId);
      return grant?.subject === subject ? undefined : { clientId: client.clientId };
    },

    keepGrant: async ({ instanceId, subject, callback }) => {
      const client = await registered(instanceId);
      const { subject: granted, refreshToken } = await connection.redeem(credentialsOf(client), callback);
      if (granted !== subject) {
        await connection.revoke(credentialsOf(client), refreshToken).catch((error: unknown) => {
          logger.warn({ instanceId, err: messageOf(error) }, 'A grant of another person was not taken back.');
        });
        throw forbidden('another_person', 'Another person signed in meanwhile. Open the app again.');
      }
      await store.putGrant(instanceId, { subject, refreshToken });
    },
  };
}

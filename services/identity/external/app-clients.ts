import { forbidden, messageOf, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { AppGrantsClient, IdentityClient, PersonStanding } from '../client.ts';
import type { IssuerConnection } from './issuer-connection.ts';
import type { PeopleStanding } from './people-standing.ts';
import { credentialsOf, type RegisteredClients } from './registered-clients.ts';
import type { ExternalStore, RegisteredClient, SeenPerson } from './store.ts';

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
  store: ExternalStore;
  clients: RegisteredClients;
  connection: IssuerConnection;
  standing: PeopleStanding;
  logger: Logger;
}): IdentityClient & AppGrantsClient {
  const { store, clients, connection, standing, logger } = parts;
  async function registered(instanceId: string): Promise<RegisteredClient> {
    const client = await store.findClient(instanceId);
    if (client === undefined) throw notFound(`The instance ${instanceId}`);
    return client;
  }

  const standingOf = async (subject: string): Promise<PersonStanding> =>
    (await standing.of([subject])).get(subject) ?? 'unknown';

  const toOthers = async (person: SeenPerson | undefined) =>
    person === undefined
      ? undefined
      : { ...person, disabled: (await standingOf(person.subject)) === 'ended' };

  return {
    registerAppClient: (app) => clients.register(app),
    removeAppClient: (instanceId) => clients.remove(instanceId),
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
      if (token === 'disabled')
        throw forbidden('person_unavailable', 'The person whom this app acts for may not sign in any more.');
      if (token !== 'refused') return token;
      await store.removeGrant(instanceId);
      logger.info({ instanceId }, 'The issuer ended what an app was granted.');
      throw forbidden(
        'person_unavailable',
        'The sign-in service no longer lets this app act for its owner. Open it in a browser to grant it again.',
      );
    },

    findPerson: async (subject) => toOthers(await store.findPerson(subject)),
    findPersonByName: async (username) => toOthers(await store.findPersonByName(username)),

    activeAmong: async (subjects) => {
      const known = await standing.of(subjects);
      return subjects.filter((subject) => known.get(subject) !== 'ended');
    },
    standingOf,

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

import { randomBytes } from 'node:crypto';
import { conflict, HaicError, messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { IdentityClient } from '../client.ts';
import { appClientIdOf } from '../provider/clients.ts';
import type { ClientRegistration } from './client-registration.ts';
import type { ClientCredentials, IssuerConnection } from './issuer-connection.ts';
import type { ExternalStore, RegisteredClient } from './store.ts';

type AppClient = Parameters<IdentityClient['registerAppClient']>[0];

export const credentialsOf = ({ clientId, clientSecret }: RegisteredClient): ClientCredentials => ({
  id: clientId,
  secret: clientSecret,
});

/** The clients of app instances at an issuer of the organisation, from the first note to the last trace. */
export interface RegisteredClients {
  /** Makes the instance's client anew. */
  register(app: AppClient): Promise<{ clientId: string; clientSecret: string }>;
  remove(instanceId: string): Promise<void>;
  /** Ids of clients at the issuer whose instances are gone and which only its administrator can remove. */
  leftBehind(): Promise<readonly string[]>;
}

/**
 * A client is noted with its secret before the issuer makes it, and again with the token by which alone it can be removed. Whoever dies
 * in between leaves a note without a token: whether the client came to be is then asked of the issuer, with that secret.
 */
export function createRegisteredClients(parts: {
  store: ExternalStore;
  registration: ClientRegistration;
  connection: Pick<IssuerConnection, 'knows' | 'revoke'>;
  /** Where the issuer sends the owner's browser with their leave for the app. */
  grantRedirectUri: string;
  logger: Logger;
}): RegisteredClients {
  const { store, registration, connection, logger } = parts;

  async function register(app: AppClient): Promise<RegisteredClient> {
    const { instanceId, name } = app;
    const noted: RegisteredClient = {
      instanceId,
      clientId: appClientIdOf(instanceId),
      clientSecret: randomBytes(32).toString('base64url'),
      redirectUris: redirectUrisOf(app),
    };
    await store.putClient(noted);
    try {
      const { registrationToken } = await registration.register({
        clientId: noted.clientId,
        clientSecret: noted.clientSecret,
        name: name.trim() === '' ? instanceId : name.trim(),
        redirectUris: redirectUrisOf(app),
        postLogoutRedirectUri: app.postLogoutRedirectUri,
      });
      const client = { ...noted, registrationToken };
      await store.putClient(client);
      return client;
    } catch (error) {
      // It said no, so there is nothing to remember. Without an answer nobody knows: the note stays.
      if (error instanceof HaicError && error.code === 'client_registration_refused')
        await store.removeClient(instanceId);
      throw error;
    }
  }

  const redirectUrisOf = ({ redirectUri }: AppClient) => [redirectUri, parts.grantRedirectUri];

  /** Its secret is known to nobody yet, so the instance may have it, once. Undefined when the issuer never made it. */
  async function adopt(noted: RegisteredClient, app: AppClient): Promise<RegisteredClient | undefined> {
    if (!(await connection.knows(credentialsOf(noted)))) return undefined;
    const fits = noted.redirectUris?.join(' ') === redirectUrisOf(app).join(' ');
    if (noted.adopted === true || !fits)
      throw conflict(
        'client_left_behind',
        `The client ${noted.clientId} at the sign-in service cannot be replaced by Haic. Remove it there, then try again.`,
      );
    const adopted = { ...noted, adopted: true };
    await store.putClient(adopted);
    logger.warn(
      { client: noted.clientId },
      'A client was registered and its registration token lost. It is used; only an administrator of the sign-in service can remove it.',
    );
    return adopted;
  }

  async function removeKnown(client: RegisteredClient, registrationToken: string): Promise<void> {
    await registration.remove(client.clientId, registrationToken);
    await store.removeClient(client.instanceId);
  }

  /** What an app may still do for somebody by it is taken back, at least. */
  async function leave(client: RegisteredClient): Promise<void> {
    const grant = await store.findGrant(client.instanceId);
    if (grant !== undefined) {
      await connection.revoke(credentialsOf(client), grant.refreshToken).catch((error: unknown) => {
        logger.warn({ client: client.clientId, err: messageOf(error) }, 'A grant was not taken back.');
      });
      await store.removeGrant(client.instanceId);
    }
    await store.leaveClientBehind(client.instanceId);
    logger.warn(
      { client: client.clientId },
      'This client cannot be removed by Haic. Remove it at the sign-in service.',
    );
  }

  return {
    async register(app) {
      const before = await store.findClient(app.instanceId);
      if (before?.registrationToken !== undefined) await removeKnown(before, before.registrationToken);
      else if (before !== undefined) {
        const adopted = await adopt(before, app);
        if (adopted !== undefined) return credentials(adopted);
      }
      return credentials(await register(app));
    },

    async remove(instanceId) {
      const client = await store.findClient(instanceId);
      if (client === undefined) return;
      if (client.registrationToken !== undefined) return removeKnown(client, client.registrationToken);
      if (await connection.knows(credentialsOf(client))) return leave(client);
      await store.removeClient(instanceId);
    },

    async leftBehind() {
      const left: string[] = [];
      for (const client of await store.clientsLeftBehind()) {
        // Of an issuer that cannot be asked now nothing is known to be gone.
        if (await connection.knows(credentialsOf(client)).catch(() => true)) left.push(client.clientId);
        else await store.removeClient(client.instanceId);
      }
      return left;
    },
  };
}

const credentials = ({ clientId, clientSecret }: RegisteredClient) => ({ clientId, clientSecret });

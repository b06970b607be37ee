import { randomBytes } from 'node:crypto';
import { forbidden, invalid, notFound } from '@haic/kit/errors.ts';
import type { ArtifactStore } from './artifacts.ts';
import type { IdentityClient, IdentityPerson } from './client.ts';
import { isUsername, type Person, usernameOf } from './model.ts';
import { appClientIdOf } from './provider/clients.ts';
import type { Issuer } from './provider/issuer.ts';
import { mintAccessToken } from './provider/tokens.ts';
import type { ServiceAccountsService } from './service-accounts/service.ts';
import type { AppClientStore, PeopleStore } from './store.ts';

const instanceIdPattern = /^[A-Za-z0-9-]{1,64}$/;

/** The clients of app instances: one each, so that one app's secret is worth nothing at another. */
export function createAppClients(parts: {
  people: PeopleStore;
  accounts: Pick<ServiceAccountsService, 'asPerson' | 'activeAmong'>;
  appClientStore: AppClientStore;
  artifacts: ArtifactStore;
  issuer: Issuer;
  findActivePerson: (id: string) => Promise<Person | undefined>;
}): IdentityClient {
  const { people, accounts, appClientStore, artifacts, issuer, findActivePerson } = parts;
  return {
    registerAppClient: async ({ instanceId, appId, redirectUri, postLogoutRedirectUri, name }) => {
      if (!instanceIdPattern.test(instanceId))
        throw invalid('bad_instance_id', 'An instance id has letters, digits and dashes.');
      const client = {
        instanceId,
        appId,
        clientId: appClientIdOf(instanceId),
        clientSecret: randomBytes(32).toString('base64url'),
        name: name.trim() === '' ? instanceId : name.trim(),
        redirectUri: webAddress(redirectUri),
        postLogoutRedirectUri: webAddress(postLogoutRedirectUri),
      };
      await appClientStore.put(client);
      return { clientId: client.clientId, clientSecret: client.clientSecret };
    },

    removeAppClient: async (instanceId) => {
      await appClientStore.remove(instanceId);
      await artifacts.removeOfClient(appClientIdOf(instanceId));
    },

    listAppClients: () => appClientStore.list(),

    mintAppToken: async ({ instanceId, subject }) => {
      const clientId = appClientIdOf(instanceId);
      if ((await appClientStore.byClientId(clientId)) === undefined)
        throw notFound(`The instance ${instanceId}`);
      if ((await findActivePerson(subject)) === undefined)
        throw forbidden('person_unavailable', 'The person whom this app acts for may not sign in any more.');
      return mintAccessToken(issuer, clientId, subject);
    },

    findPerson: async (subject) =>
      toOthers((await people.byId(subject)) ?? (await accounts.asPerson({ id: subject }))),
    findPersonByName: async (name) => {
      const username = usernameOf(name);
      if (!isUsername(username)) return undefined;
      return toOthers((await people.byUsername(username)) ?? (await accounts.asPerson({ name: username })));
    },
    activeAmong: async (subjects) => [
      ...(await people.activeAmong(subjects)),
      ...(await accounts.activeAmong(subjects)),
    ],
    standingOf: async (subject) => ((await findActivePerson(subject)) === undefined ? 'ended' : 'active'),
  };
}

function toOthers(person: Person | undefined): IdentityPerson | undefined {
  if (person === undefined) return undefined;
  const { id, username, name, email, roles, groups, disabled } = person;
  return { subject: id, username, name, email, roles, groups, disabled };
}

function webAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && /^https?:$/.test(url.protocol) && url.hash === '' && url.username === '';
  if (!plain) throw invalid('bad_redirect_uri', `"${text.slice(0, 100)}" is not a web address to return to.`);
  return text;
}

import { randomBytes } from 'node:crypto';
import type { Fetch } from '@haic/kit/http/client.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import { deriveKey } from '@haic/kit/keys.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '../audit/client.ts';
import { createAppClients } from './app-clients.ts';
import { createArtifactStore } from './artifacts.ts';
import { createBrokering } from './brokering/brokering.ts';
import type { UpstreamProvider } from './brokering/provider-settings.ts';
import { createUpstreamSessions } from './brokering/upstream-sessions.ts';
import type { IdentityClient, PeopleDirectory, WhenPersonEnds } from './client.ts';
import { createDirectory } from './directory.ts';
import { registerForeignResources } from './foreign-resources/register.ts';
import { createForeignResourcesService } from './foreign-resources/service.ts';
import { createForeignResourceStore } from './foreign-resources/store.ts';
import { createGroupStore } from './group-store.ts';
import { createGroupsService } from './groups.ts';
import { createKeyRing, defaultKeyPolicy, type KeyPolicy, type NewKey } from './keys.ts';
import { createAdapter } from './provider/adapter.ts';
import { appClientIdOf, appClientMetadata } from './provider/clients.ts';
import { createIssuer } from './provider/issuer.ts';
import { mountProvider } from './provider/mount.ts';
import { accountClientMetadata } from './provider/service-accounts.ts';
import { createSessions } from './provider/sessions.ts';
import type { SlowDownPolicy } from './provider/slow-down.ts';
import { refuseEnded } from './refuse-ended.ts';
import { registerAccount } from './routes/account.ts';
import { preparePages } from './routes/forms.ts';
import { registerOperatorRoutes } from './routes/operator.ts';
import { registerPeopleRoutes } from './routes/people.ts';
import { registerRotateKeys } from './routes/rotate-keys.ts';
import { registerSignIn } from './routes/sign-in.ts';
import { registerSignOut } from './routes/sign-out.ts';
import { registerStanding } from './routes/standing.ts';
import { registerUserinfo } from './routes/userinfo.ts';
import { createPeopleService, type PeopleService } from './service.ts';
import { isAccountClient } from './service-accounts/model.ts';
import { registerServiceAccounts } from './service-accounts/register.ts';
import { createServiceAccountsService } from './service-accounts/service.ts';
import { createServiceAccountStore } from './service-accounts/store.ts';
import { createPasswordCheck } from './sign-in.ts';
import { createSignInStanding } from './sign-in-standing.ts';
import { createSignInTrail } from './sign-in-trail.ts';
import { type ActsForOwner, createSignInCheck } from './sign-ins.ts';
import { createAppClientStore, createPeopleStore } from './store.ts';
import { createSignInThrottle, defaultThrottlePolicy, type ThrottlePolicy } from './throttle.ts';
import { createTokensService } from './tokens.ts';

export { identityMigrations } from './migrations.ts';

export interface IdentityOptions {
  readonly database: Database;
  /** No trailing slash. */
  readonly publicUrl: string;
  /** `<publicUrl>/auth/realms/haic`. */
  readonly issuer: string;
  readonly masterKey: Buffer;
  /** The platform's own services and their secrets: `haic-service-…`. */
  readonly serviceClients: Readonly<Record<string, string>>;
  readonly portalClientSecret: string;
  readonly logger: Logger;
  /** Without one, nothing that happens on the pages is recorded. */
  readonly audit?: AuditWriter;
  /** Nobody by default. */
  readonly whenPersonEnds?: WhenPersonEnds;
  /** All that are known, by default. */
  readonly actsForOwner?: ActsForOwner;
  /** Other OpenID providers that people may sign in at; none by default. */
  readonly upstreamProviders?: readonly UpstreamProvider[];
  /** Carries the back-channel sign-out to `<publicUrl>/oauth2/backchannel-logout`, and asks other providers; the ordinary one by default. */
  readonly fetch?: Fetch;
  readonly clock?: () => Date;
  readonly keyPolicy?: KeyPolicy;
  readonly throttlePolicy?: ThrottlePolicy;
  readonly tokenEndpointPolicy?: SlowDownPolicy;
}

export interface Identity {
  /** Mounts the provider, its pages, the API on people and tokens, and the operator's routes. */
  register(server: HttpServer): void;
  readonly client: IdentityClient;
  readonly directory: PeopleDirectory;
  readonly operator: PeopleService;
  /** A new signing key; what was signed with the old one stays verifiable. */
  rotateKeys(options?: { aheadMs?: number }): Promise<NewKey>;
  /** New keys instead of the old ones, whose tokens are refused from then on; signs everybody out of browsers and apps. */
  replaceKeys(): Promise<NewKey>;
  /** Removes what expired, rotates keys that are old enough. Runs by itself every minute until `stop`. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

const sweepEveryMs = 60_000;
const keysChannel = 'identity_keys';

export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { database, publicUrl, masterKey, logger } = options;
  const now = options.clock ?? (() => new Date());
  const keyFor = (purpose: string) => deriveKey(masterKey, `identity:${purpose}`);

  const people = createPeopleStore(database);
  const foreignResources = createForeignResourceStore(database);
  const appClientStore = createAppClientStore(database, keyFor('app-clients'));
  const artifacts = createArtifactStore(database, keyFor('artifacts'));
  const keyRing = createKeyRing(database, keyFor('issuer-keys'), options.keyPolicy ?? defaultKeyPolicy, now);
  const throttle = createSignInThrottle(database, options.throttlePolicy ?? defaultThrottlePolicy, now);

  const whenPersonEnds = options.whenPersonEnds ?? (async () => undefined);
  const accounts = createServiceAccountsService({
    accounts: createServiceAccountStore(database),
    people,
    whenPersonEnds: async (subject, name) => {
      await sessions.endEverything(subject);
      await whenPersonEnds(subject, name);
    },
    now,
    logger,
  });
  /** A person, or a service account: both own what they made and are asked for by their id. */
  const findActivePerson = async (id: string) => {
    const person = (await people.byId(id)) ?? (await accounts.asPerson({ id }));
    return person?.disabled === false ? person : undefined;
  };
  const isSignInOpen = createSignInCheck({
    artifacts,
    actsForOwner: options.actsForOwner ?? (async () => true),
  });
  const neverASecret = randomBytes(32).toString('base64url');
  const adapter = createAdapter(artifacts, async (clientId) => {
    if (isAccountClient(clientId))
      return (await accounts.activeOfClient(clientId)) && accountClientMetadata(clientId, neverASecret);
    const client = await appClientStore.byClientId(clientId);
    return client === undefined ? undefined : appClientMetadata(client);
  });
  const upstreamSessions = createUpstreamSessions(artifacts);
  const issuer = await createIssuer({
    setup: { ...options, adapter, findActivePerson, serviceAccounts: accounts },
    keyRing,
    artifacts,
    tokenExchange: {
      findResource: foreignResources.byAudience,
      appOfInstance: appClientStore.appOf,
      findActivePerson,
      isSignInOpen: async (principal, sid) => sid === undefined || isSignInOpen(principal, sid),
      logger,
    },
    logger,
    slowDown: options.tokenEndpointPolicy,
    afterRequest: upstreamSessions.note,
  });
  const sessions = createSessions({ issuer, artifacts, publicUrl, logger, fetch: options.fetch ?? fetch });
  const service = createPeopleService({
    people,
    accounts,
    artifacts,
    issuer,
    sessions,
    whenPersonEnds: async (subject, username) => {
      await whenPersonEnds(subject, username);
      await accounts.whenOwnerEnds(subject);
    },
    logger,
  });
  const groups = createGroupsService({ groups: createGroupStore(database), people, accounts, logger });
  const tokens = createTokensService({ artifacts, sessions, logger });
  const checkPassword = createPasswordCheck({ people, throttle, browserKey: keyFor('browsers'), logger });
  const trail = createSignInTrail({ audit: options.audit, logger, now });
  const client = createAppClients({ people, accounts, appClientStore, artifacts, issuer, findActivePerson });

  const sweep = async () => {
    await artifacts.sweep();
    await throttle.sweep();
    await keyRing.maintain();
    await issuer.reload();
  };
  const rotateKeys: Identity['rotateKeys'] = async (how) => {
    const key = await keyRing.rotate(how);
    await issuer.reload();
    logger.info({ ...key }, 'The keys of the issuer were rotated.');
    return key;
  };
  /** For keys that became known: nothing that they signed is good any more, and whom they let in signs in anew. */
  const replaceKeys: Identity['replaceKeys'] = async () => {
    const key = await keyRing.replace();
    await issuer.reload();
    await database.notify(keysChannel, key.keyId);
    await sessions.endEverybody();
    logger.warn({ ...key }, 'The keys of the issuer were replaced; everybody is signed out.');
    return key;
  };
  const reloadKeys = () => {
    issuer
      .reload()
      .catch((error: unknown) => logger.warn({ err: error }, 'The keys could not be read again.'));
  };
  // Other processes of this issuer need not wait for their next sweep.
  const keysSubscription = await database.listen(keysChannel, reloadKeys, reloadKeys);
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => logger.warn({ err: error }, 'Sweeping the identity store failed.'));
  }, sweepEveryMs);
  timer.unref();

  return {
    client,
    directory: createDirectory(database),
    operator: service,
    sweep,
    register: (server) => {
      const issuerPath = new URL(options.issuer).pathname;
      const otherProviders = options.upstreamProviders ?? [];
      const common = { publicUrl, issuerPath, issuer, sessions, people, checkPassword, trail };
      const brokering = createBrokering({
        ...common,
        providers: otherProviders,
        database,
        artifacts,
        upstreamSessions,
        sealingKey: keyFor('brokering'),
        fetch: options.fetch ?? fetch,
        logger,
        now,
      });
      const pages = { ...common, service, otherProviders, upstreamSignOut: brokering.signOut };
      server.register(async (scope) => {
        preparePages(scope, publicUrl);
        registerSignIn(scope, pages);
        registerSignOut(scope, pages);
        registerAccount(scope, pages);
        brokering.register(scope);
      });
      server.register(async (scope) => registerUserinfo(scope, { ...pages, findActivePerson }));
      server.register(async (scope) => registerOperatorRoutes(scope, service));
      server.register(async (scope) =>
        registerRotateKeys(scope, { rotate: rotateKeys, replace: replaceKeys }),
      );
      registerPeopleRoutes(server, { findActivePerson, service, groups, tokens });
      registerServiceAccounts(server, { findActivePerson, accounts });
      registerForeignResources(server, {
        findActivePerson,
        resources: createForeignResourcesService({ resources: foreignResources, publicUrl, logger }),
      });
      registerStanding(
        server,
        createSignInStanding({
          activeAmong: client.activeAmong,
          isInstanceKnown: async (id) => (await appClientStore.byClientId(appClientIdOf(id))) !== undefined,
          isSignInOpen,
        }),
      );
      refuseEnded(server, { activeAmong: client.activeAmong, logger });
      mountProvider(server, { publicUrl, issuer });
    },
    rotateKeys,
    replaceKeys,
    stop: async () => {
      clearInterval(timer);
      await keysSubscription.stop();
      sessions.stop();
    },
  };
}

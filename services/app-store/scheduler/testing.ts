import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { instanceOfParty, type Principal, partyKindOf, wellKnownClients } from '@haic/kit/auth/principal.ts';
import { forbidden, notFound, unauthenticated } from '@haic/kit/errors.ts';
import { createMemoryIdempotencyStore } from '@haic/kit/http/idempotency/memory.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { createFakeRuntime, type FakeRuntime } from '@haic/platform/runtime/fake.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { IdentityClient, IdentityPerson } from '@haic/services/identity/client.ts';
import type {
  AppSecretsClient,
  SecretLack,
  SecretReference,
  SecretUse,
} from '@haic/services/secrets/app-secrets/client.ts';
import type { App, CatalogClient, ManifestRuntime } from '../catalog/client.ts';
import { workloadNameOf } from './model.ts';
import { hasFullAccess, isAdmin } from './roles.ts';
import { singlePythonVersions } from './runtime-versions.ts';
import { createScheduler, type SchedulerOptions } from './scheduler.ts';
import { createMemoryStarting } from './starting/memory.ts';

export const publicUrl = 'http://localhost:8080';
export const issuer = `${publicUrl}/auth/realms/haic`;
export const masterKey = Buffer.alloc(32, 7);
export const logger = createLogger('scheduler-test', 'silent');
export const appId = '11111111-1111-4111-8111-111111111111';

const person = (
  username: string,
  roles: readonly string[],
  party: string = wellKnownClients.portal,
): Principal => {
  const partyKind = partyKindOf(party);
  if (partyKind === undefined) throw new Error(`${party} is no client of ours`);
  return {
    subject: `sub-${username}`,
    username,
    name: undefined,
    email: undefined,
    roles,
    groups: [],
    party,
    partyKind,
    instanceId: instanceOfParty(party),
    expiresAt: Math.floor(Date.now() / 1000) + 300,
    token: `token of ${username}`,
  };
};

export const people = {
  owner: person('owner', ['user']),
  other: person('other', ['user']),
  author: person('author', ['user']),
  admin: person('admin', ['user', 'admin']),
  visitor: person('visitor', ['visitor']),
  router: person('router', [], wellKnownClients.router),
  core: person('core', [], wellKnownClients.core),
} as const;

/** The token that an app holds for its visitor. */
export const viaApp = (who: Principal, instanceId: string): Principal =>
  person(who.username, who.roles, `haic-app-${instanceId}`);

type Changes = Omit<Partial<App>, 'manifest'> & {
  manifest?: Omit<Partial<App['manifest']>, 'runtime'>;
  runtime?: Partial<ManifestRuntime>;
};

export function exampleApp({ manifest, runtime, ...changes }: Changes = {}): App {
  return {
    id: appId,
    owner: { subject: people.author.subject, username: people.author.username },
    importedBy: { subject: people.author.subject, username: people.author.username },
    visibility: 'ALL_USERS',
    longDescription: '',
    assets: [],
    bundleSha256: '',
    bundleSize: 0,
    precondition: { status: 'PASSED', problems: [], checkedAt: new Date(0).toISOString() },
    createdAt: new Date(0),
    updatedAt: new Date(0),
    ...changes,
    manifest: {
      name: 'ai.example.hello',
      version: '1.0.0',
      title: 'Hello',
      description: '',
      longDescriptionPath: undefined,
      tags: [],
      lifecycle: 'ON_DEMAND',
      instanceTimeout: undefined,
      env: [],
      files: [],
      linkAddress: undefined,
      ...manifest,
      runtime: {
        module: 'app',
        runtimeVersion: undefined,
        mode: 'wave',
        routingMode: 'DOMAIN',
        port: undefined,
        oidc: false,
        sharedMemory: false,
        volumeMount: undefined,
        volumeSize: undefined,
        resourceVolumeSize: undefined,
        memoryLimit: undefined,
        memoryReservation: undefined,
        cpuLimit: undefined,
        cpuReservation: undefined,
        ...runtime,
      },
    },
  };
}

/** The catalog as far as the scheduler asks it, with its rules in their simplest form. */
export function exampleCatalog(apps: Map<string, App>, bundle = Buffer.from('PK the bundle')): CatalogClient {
  return {
    getApp: async (id) => apps.get(id),
    getApps: async (ids) => ids.map((id) => apps.get(id)).filter((app) => app !== undefined),
    openBundle: async (id) =>
      apps.has(id) ? { size: bundle.length, content: Readable.from([bundle]) } : undefined,
    readText: async () => undefined,
    accessOf: (who, app) => {
      const owns = who.subject === app.owner.subject;
      const canSee = owns || isAdmin(who.roles) || (app.visibility !== 'PRIVATE' && hasFullAccess(who.roles));
      return { canSee, canRun: canSee, cannotRunBecause: '', canManage: owns };
    },
    appsOwnedBy: async (owner) =>
      [...apps.values()].filter((app) =>
        'subject' in owner ? app.owner.subject === owner.subject : app.owner.username === owner.username,
      ),
    appsNaming: async () => [],
    recheck: async () => undefined,
    handOver: async (_principal, id, username) => {
      const app = apps.get(id);
      if (app === undefined) throw notFound('This app');
      apps.set(id, { ...app, owner: { subject: `sub-${username}`, username } });
    },
    iconUrl: (app) => `${publicUrl}/api/v1/apps/${app.id}/assets/icon.png`,
  };
}

export interface ExampleIdentity extends IdentityClient {
  readonly clients: Map<string, { redirectUri: string; secret: string }>;
  readonly people: Map<string, IdentityPerson>;
  /** While set every call fails with it. */
  down: Error | undefined;
}

export function exampleIdentity(): ExampleIdentity {
  let secrets = 0;
  const identity: ExampleIdentity = {
    clients: new Map(),
    people: new Map(
      Object.values(people).map((p) => [
        p.subject,
        {
          subject: p.subject,
          username: p.username,
          name: p.username,
          email: '',
          roles: p.roles,
          groups: p.groups,
          disabled: false,
        },
      ]),
    ),
    down: undefined,
    async registerAppClient({ instanceId, redirectUri }) {
      if (identity.down) throw identity.down;
      secrets += 1;
      const secret = `client-secret-${secrets}`;
      identity.clients.set(instanceId, { redirectUri, secret });
      return { clientId: `haic-app-${instanceId}`, clientSecret: secret };
    },
    async removeAppClient(instanceId) {
      if (identity.down) throw identity.down;
      identity.clients.delete(instanceId);
    },
    async listAppClients() {
      if (identity.down) throw identity.down;
      return [...identity.clients.keys()];
    },
    async mintAppToken({ instanceId, subject }) {
      if (identity.down) throw identity.down;
      if (!identity.clients.has(instanceId)) throw notFound(`The client of ${instanceId}`);
      const who = identity.people.get(subject);
      if (who === undefined || who.disabled) throw forbidden('person_unavailable', 'Disabled.');
      return { accessToken: `token of ${who.username} for ${instanceId}`, expiresIn: 300 };
    },
    async findPerson(subject) {
      if (identity.down) throw identity.down;
      return identity.people.get(subject);
    },
    async findPersonByName(username) {
      if (identity.down) throw identity.down;
      return [...identity.people.values()].find((one) => one.username === username);
    },
    async activeAmong(subjects) {
      if (identity.down) throw identity.down;
      return subjects.filter((subject) => identity.people.get(subject)?.disabled === false);
    },
    async standingOf(subject) {
      if (identity.down) return 'unknown';
      return identity.people.get(subject)?.disabled === false ? 'active' : 'ended';
    },
  };
  return identity;
}

export interface ExampleSecrets extends AppSecretsClient {
  /** What every app may have: values by `secret/key`. */
  readonly kept: Map<string, string | Uint8Array>;
  readonly uses: SecretUse[];
  /** While set every call fails with it. */
  down: Error | undefined;
}

export function exampleSecrets(): ExampleSecrets {
  const lackOf = ({ secret, key }: SecretReference): SecretLack => ({
    code: 'secret_missing',
    message: `There is no key "${key}" of a secret "${secret}".`,
    remedy: 'Create it.',
  });
  const keptOf = ({ secret, key }: SecretReference) => secrets.kept.get(`${secret}/${key}`);
  const secrets: ExampleSecrets = {
    kept: new Map(),
    uses: [],
    down: undefined,
    async examine(_app, references) {
      if (secrets.down) throw secrets.down;
      return references.map((one) => (keptOf(one) === undefined ? lackOf(one) : undefined));
    },
    async use(use, references) {
      if (secrets.down) throw secrets.down;
      secrets.uses.push(use);
      return references.map((one) => {
        const value = keptOf(one);
        return value === undefined ? { lack: lackOf(one) } : { value: Buffer.from(value) };
      });
    },
  };
  return secrets;
}

export interface TestScheduler extends AsyncDisposable {
  readonly url: string;
  readonly apps: Map<string, App>;
  readonly identity: ExampleIdentity;
  readonly secrets: ExampleSecrets;
  readonly scheduler: ReturnType<typeof createScheduler>;
  /** A request with that person's token; without a person: with none. */
  as(who: Principal | undefined, path: string, init?: RequestInit & { json?: unknown }): Promise<Response>;
  /** The Authorization header of that person's requests. */
  authorizationOf(who: Principal): string;
  /** Runs the example app and returns the instance's id. */
  run(who: Principal, body?: { visibility?: string }): Promise<string>;
}

/** Pauses an instance past the API, and its process is gone at once. */
export async function pause(t: { readonly runtime: FakeRuntime }, id: string): Promise<void> {
  await t.runtime.patch(workloadNameOf(id), { replicas: 0 }, { signal: AbortSignal.timeout(1000) });
  t.runtime.become(workloadNameOf(id), { phase: 'Suspended', startedAt: undefined, endpoints: {} });
}

export async function startTestScheduler<R extends Runtime = FakeRuntime>(
  options: Partial<Omit<SchedulerOptions, 'runtime'>> & {
    runtime?: R;
    app?: App;
    isEnding?: () => boolean;
  } = {},
): Promise<TestScheduler & { readonly runtime: R }> {
  // Without a runtime of its own the caller gets the fake, and that is what R is then.
  const runtime = options.runtime ?? (createFakeRuntime() as Runtime as R);
  const app = options.app ?? exampleApp();
  const apps = new Map([[app.id, app]]);
  const identity = exampleIdentity();
  const secrets = exampleSecrets();
  const scheduler = createScheduler({
    catalog: exampleCatalog(apps),
    identity,
    secrets,
    starting: createMemoryStarting(),
    masterKey,
    publicUrl,
    issuer,
    launcher: { image: 'app-runtime', command: ['node', '/opt/haic/assets/launcher.mjs'] },
    installer: { socket: '/opt/haic/installer/installer.sock' },
    network: {},
    runtimeVersions: singlePythonVersions('3.11'),
    logger,
    ...options,
    runtime,
  });
  const tokens = new Map<string, Principal>();
  const server = createHttpServer({
    logger,
    idempotency: createMemoryIdempotencyStore(),
    ...(options.isEnding === undefined ? {} : { isEnding: options.isEnding }),
    verifyToken: async (token) => {
      const who = tokens.get(token);
      if (who === undefined) throw unauthenticated();
      return who;
    },
  });
  scheduler.register(server);
  await server.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;

  const authorizationOf = (who: Principal): string => {
    const token = `t-${tokens.size}`;
    tokens.set(token, who);
    return `Bearer ${token}`;
  };
  const as: TestScheduler['as'] = (who, path, { json, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (who !== undefined) headers.set('authorization', authorizationOf(who));
    if (json !== undefined) headers.set('content-type', 'application/json');
    return fetch(url + path, {
      ...init,
      headers,
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
  };
  return {
    url,
    runtime,
    apps,
    identity,
    secrets,
    scheduler,
    as,
    authorizationOf,
    async run(who, body = {}) {
      const response = await as(who, `/api/v1/apps/${app.id}/instances`, { method: 'POST', json: body });
      const answer = (await response.json()) as { id?: string; detail?: string };
      if (answer.id === undefined) throw new Error(`${response.status}: ${answer.detail}`);
      return answer.id;
    },
    async [Symbol.asyncDispose]() {
      scheduler.stop();
      await server.close();
    },
  };
}

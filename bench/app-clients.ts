import { performance } from 'node:perf_hooks';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { createIssuerConnection } from '@haic/services/identity/external/issuer-connection.ts';
import { createKeycloakRegistration } from '@haic/services/identity/external/keycloak-registration.ts';
import { placeForHaic } from '../test/support/haic.ts';
import { type Keycloak, startKeycloak } from '../test/support/keycloak.ts';
import { type IssuerUnderTest, refresh, signIn } from './code-flow.ts';
import { cpuSeconds } from './processes.ts';
import { compare, median, type Row, spread } from './rows.ts';

/** Every running instance has a client of its own at the organisation's Keycloak. */
const many = 3000;
/** So many of each are measured, one after the other, with few clients there and with many. */
const samples = 100;
const signIns = 20;
/** Sign-ins that do not count: the compiler of Keycloak needs them. */
const warmUps = 30;
/** In turns: a Keycloak that guards against guessing refuses a person who signs in again while it still notes the last time. */
const people = Array.from({ length: 8 }, (_, index) => ({
  username: `ada${index}`,
  password: 'measured, again and again',
}));
const personAt = (at: number) => people[at % people.length] ?? { username: '', password: '' };

/** The clients of app instances, as Haic registers and removes them. */
interface AppClients {
  register(name: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Milliseconds of wall clock for each operation, and of CPU over all of them. */
interface Cost {
  readonly wall: readonly number[];
  readonly cpu: number;
}
const operations = ['registration', 'removal', 'sign-in', 'refresh'] as const;
type Costs = Record<(typeof operations)[number], Cost>;

/** What a Keycloak as it is released, with its database inside, does with thousands of clients, against the same one with a few. */
export async function benchAppClients(): Promise<readonly Row[]> {
  const keycloak = await startKeycloak({ asReleased: true });
  const place = await placeForHaic({ HAIC_ISSUER: keycloak.issuer('haic') });
  try {
    const realm = JSON.parse(await place.run(['issuer', 'realm'])) as Realm;
    await keycloak.importRealm(realm);
    for (const person of people) await keycloak.addUser('haic', { ...person, roles: ['user'] });
    const clients = appClientsOf(keycloak, realm);
    const issuer = {
      issuer: keycloak.issuer('haic'),
      redirectUri: `${place.url}/auth/get-platform-token/callback`,
    };
    for (let at = 0; at < warmUps; at += 1) await refresh(issuer, await signIn(issuer, personAt(at)));
    const registering = await secondsFor((name) => clients.register(name));
    const full = await measure(keycloak, clients, issuer, 'many');
    const removing = await secondsFor((name) => clients.remove(name));
    process.stderr.write(
      `${many} clients, four at once: registered in ${registering.toFixed(0)} s, removed in ${removing.toFixed(0)} s.\n`,
    );
    // Only now: registering them has warmed Keycloak up, which would have passed for the cost of having them.
    return rowsOf(await measure(keycloak, clients, issuer, 'few'), full);
  } finally {
    await place.stop();
    await keycloak.stop();
  }
}

interface Realm {
  readonly clients: readonly { readonly clientId: string; readonly secret?: string }[];
}

function appClientsOf(keycloak: Keycloak, realm: Realm): AppClients {
  const issuer = keycloak.issuer('haic');
  const secret = realm.clients.find(({ clientId }) => clientId === wellKnownClients.core)?.secret ?? '';
  const connection = createIssuerConnection({
    issuer,
    fetch,
    serviceClient: { id: wellKnownClients.core, secret },
  });
  const registration = createKeycloakRegistration({ issuer, fetch, serviceToken: connection.serviceToken });
  const tokens = new Map<string, string>();
  return {
    register: async (name) => {
      const { registrationToken } = await registration.register({
        clientId: `haic-app-${name}`,
        clientSecret: `the secret of ${name}`,
        name,
        redirectUris: [`http://${name}.localhost:8080/_auth/callback`],
        postLogoutRedirectUri: 'http://localhost:8080/',
      });
      tokens.set(name, registrationToken);
    },
    remove: (name) => registration.remove(`haic-app-${name}`, tokens.get(name) ?? ''),
  };
}

async function secondsFor(work: (name: string) => Promise<void>): Promise<number> {
  const since = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < many) {
      next += 1;
      await work(`instance-${next}`);
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return (performance.now() - since) / 1000;
}

async function measure(
  keycloak: Keycloak,
  clients: AppClients,
  issuer: IssuerUnderTest,
  prefix: string,
): Promise<Costs> {
  const costOf = async (count: number, work: (at: number) => Promise<unknown>): Promise<Cost> => {
    const before = await cpuSeconds(keycloak.pid);
    const wall: number[] = [];
    for (let at = 0; at < count; at += 1) {
      const since = performance.now();
      await work(at);
      wall.push(performance.now() - since);
    }
    return { wall, cpu: (((await cpuSeconds(keycloak.pid)) - before) * 1000) / count };
  };
  const token = await signIn(issuer, personAt(0));
  return {
    registration: await costOf(samples, (at) => clients.register(`${prefix}-${at}`)),
    removal: await costOf(samples, (at) => clients.remove(`${prefix}-${at}`)),
    'sign-in': await costOf(signIns, (at) => signIn(issuer, personAt(at))),
    refresh: await costOf(samples, () => refresh(issuer, token)),
  };
}

/** CPU, and not the clock: what else the machine does changes that less. */
const rowsOf = (few: Costs, full: Costs): readonly Row[] =>
  operations.map((what) =>
    compare(
      {
        id: `clients.${what}`,
        name: `${what} at Keycloak with ${many} clients of apps`,
        peer: 'the same with none',
        unit: 'CPU ms',
        ours: full[what].cpu,
        theirs: few[what].cpu,
        note: `wall clock, one after the other: median ${median(full[what].wall).toFixed(1)} ms (${spread(full[what].wall)}), with none ${median(few[what].wall).toFixed(1)} ms (${spread(few[what].wall)})`,
      },
      undefined,
    ),
  );

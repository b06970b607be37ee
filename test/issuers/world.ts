import assert from 'node:assert/strict';
import { deadline, until } from '@haic/kit/deadline.ts';
import type { BrowserContext, Page } from 'playwright-core';
import { type BrowserProfile, fillSignIn, openBrowser } from '../support/browser.ts';
import { type Front, startFront } from '../support/front.ts';
import { type Haic, placeForHaic, startHaic } from '../support/haic.ts';
import { type Keycloak, startKeycloak } from '../support/keycloak.ts';

export interface TestPerson {
  readonly username: string;
  readonly password: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
}

/** A Haic and the issuer where its people sign in: what the suite needs to be the same for every issuer. */
export interface World {
  readonly haic: Haic;
  readonly issuer: string;
  /** Whether accounts are Haic's own. */
  readonly peopleAreHere: boolean;
  person(username: 'ada' | 'grace' | 'root' | 'guest'): TestPerson;
  /** Fills the sign-in page of the issuer that is shown. */
  fillSignIn(page: Page, person: TestPerson): Promise<void>;
  /** The issuer's administrator ends everything that the person has open. */
  endSessionsOf(username: string): Promise<void>;
  disable(username: string): Promise<void>;
  /** Ids of the clients that app instances have at the issuer. */
  appClients(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const cast = {
  ada: { username: 'ada', roles: ['user'], groups: ['analysts', 'science'] },
  grace: { username: 'grace', roles: ['user'], groups: [] },
  root: { username: 'root', roles: ['admin', 'user'], groups: [] },
  guest: { username: 'guest', roles: ['visitor'], groups: [] },
} as const;
type Name = keyof typeof cast;
const names = Object.keys(cast) as Name[];

export async function embeddedWorld(): Promise<World> {
  const haic = await startHaic();
  const people = new Map<Name, TestPerson>();
  for (const name of names)
    people.set(name, { ...cast[name], password: await haic.addUser(name, cast[name]) });
  return {
    haic,
    issuer: `${haic.url}/auth/realms/haic`,
    peopleAreHere: true,
    person: (name) => known(people, name),
    fillSignIn: (page, { username, password }) => fillSignIn(page, username, password),
    endSessionsOf: async (username) => void (await haic.run(['user', 'passwd', username])),
    disable: async (username) => void (await haic.run(['user', 'disable', username])),
    appClients: async () => [],
    stop: () => haic.stop(),
  };
}

export interface KeycloakWorld extends World {
  readonly keycloak: Keycloak;
  /** Everything that is said to this Keycloak goes through it. */
  readonly front: Front;
  enable(username: string): Promise<void>;
}

/** Haic behind a Keycloak, as docs/keycloak.md sets it up. */
export async function keycloakWorld(): Promise<KeycloakWorld> {
  const front = await startFront();
  const keycloak = await startKeycloak({ front });
  const issuer = keycloak.issuer('haic');
  const haic = await placeForHaic({ HAIC_ISSUER: issuer });
  const people = new Map<Name, TestPerson>();
  const ids = new Map<string, string>();
  try {
    await keycloak.importRealm(JSON.parse(await haic.run(['issuer', 'realm'])));
    for (const group of new Set(names.flatMap((name) => cast[name].groups)))
      await keycloak.admin('POST', 'haic', '/groups', { name: group });
    for (const name of names) {
      const person = { ...cast[name], password: `the-password-of-${name}` };
      people.set(name, person);
      ids.set(name, await keycloak.addUser('haic', person));
    }
    await haic.up();
  } catch (error) {
    await haic.stop();
    await keycloak.stop();
    await front.stop();
    throw error;
  }
  const setEnabled = (username: string, enabled: boolean) =>
    keycloak.admin<void>('PUT', 'haic', `/users/${ids.get(username)}`, { enabled });
  return {
    keycloak,
    front,
    haic,
    issuer,
    peopleAreHere: false,
    person: (name) => known(people, name),
    fillSignIn: fillKeycloakSignIn,
    endSessionsOf: (username) => keycloak.admin('POST', 'haic', `/users/${ids.get(username)}/logout`),
    disable: (username) => setEnabled(username, false),
    enable: (username) => setEnabled(username, true),
    appClients: async () => {
      const query = '/clients?clientId=haic-app-&search=true&max=1000';
      const found = await keycloak.admin<{ clientId: string }[]>('GET', 'haic', query);
      return found.map(({ clientId }) => clientId);
    },
    stop: async () => {
      await haic.stop();
      await keycloak.stop();
      await front.stop();
    },
  };
}

export async function fillKeycloakSignIn(
  page: Page,
  { username, password }: Pick<TestPerson, 'username' | 'password'>,
): Promise<void> {
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(password);
  await page.locator('#kc-login').click();
}

function known(people: ReadonlyMap<Name, TestPerson>, name: Name): TestPerson {
  const person = people.get(name);
  if (person === undefined) throw new Error(`There is no ${name} in this world.`);
  return person;
}

/** Signs in at the portal, wherever that leads. */
export async function signInAt(world: World, page: Page, person: TestPerson): Promise<void> {
  await page.goto(`${world.haic.url}/login?next=/`);
  await world.fillSignIn(page, person);
  await page.waitForURL(`${world.haic.url}/**`);
  await page.getByRole('button', { name: /^Account of/ }).waitFor();
}

/** A browser of its own in which the person is signed in, for as long as the work takes. */
export async function withBrowserOf<T>(
  world: World,
  username: Name,
  work: (profile: BrowserProfile, page: Page) => Promise<T>,
): Promise<T> {
  const profile = await openBrowser();
  try {
    const page = await profile.page();
    await signInAt(world, page, world.person(username));
    return await work(profile, page);
  } finally {
    await profile.close();
  }
}

export interface PortalAnswer<T> {
  readonly status: number;
  readonly body: T;
}

/** A call of the API as the portal of this browser makes it: by its session, with its CSRF token. */
export async function portalApi<T = Record<string, unknown>>(
  world: World,
  context: BrowserContext,
  method: string,
  path: string,
  body?: Buffer | object,
): Promise<PortalAnswer<T>> {
  const { url } = world.haic;
  const session = (await (await context.request.get(`${url}/session`)).json()) as { csrfToken?: string };
  const answer = await context.request.fetch(`${url}${path}`, {
    method,
    headers: {
      origin: url,
      'x-haic-csrf': session.csrfToken ?? '',
      ...(body === undefined
        ? {}
        : { 'content-type': Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json' }),
    },
    ...(body === undefined ? {} : { data: body }),
  });
  const text = await answer.text();
  return { status: answer.status(), body: (text === '' ? undefined : JSON.parse(text)) as T };
}

/** Imports the bundle and runs it, as the portal of this browser does, until it is DEPLOYED. */
export async function importAndRun(
  world: World,
  context: BrowserContext,
  bundle: Buffer,
  visibility: string,
): Promise<{ id: string; url: string }> {
  const imported = await portalApi<{ id: string }>(
    world,
    context,
    'POST',
    `/api/v1/apps?visibility=${visibility}`,
    bundle,
  );
  assert.equal(imported.status, 201, JSON.stringify(imported.body));
  const run = await portalApi<{ id: string; url: string }>(
    world,
    context,
    'POST',
    `/api/v1/apps/${imported.body.id}/instances`,
    { visibility },
  );
  assert.equal(run.status, 201, JSON.stringify(run.body));
  await untilStatus(world, context, run.body.id, 'DEPLOYED');
  return run.body;
}

/** Waits until an instance is in the state, asking as the portal of this browser. */
export async function untilStatus(
  world: World,
  context: BrowserContext,
  id: string,
  status: string,
): Promise<void> {
  const ask = async () => {
    const { body } = await portalApi<{ status?: string }>(world, context, 'GET', `/api/v1/instances/${id}`);
    return body.status === status ? true : undefined;
  };
  await until(ask, { everyMs: 250, signal: deadline(120_000) });
}

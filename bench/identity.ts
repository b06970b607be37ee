import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Haic, startHaic } from '../test/support/haic.ts';
import { type Keycloak, startKeycloak } from '../test/support/keycloak.ts';
import { pidOf } from './haic.ts';
import { cpuSeconds } from './processes.ts';
import { atLeast, median, type Row, spread } from './rows.ts';

const rounds = 5;
/** Rounds that do not count: the peer's compiler needs them. */
const warmUps = 3;
const atOnce = 8;
const signIns = 60;
const refreshes = 400;
/** One for each that signs in at once: Haic lets nobody try a password for the same person ten times at the same moment. */
const people = Array.from({ length: atOnce }, (_, index) => `ada${index}`);
const password = 'measured, again and again';
const clientId = 'haic-platform';

/** One of the two issuers, and what it costs. */
interface Contender {
  readonly issuer: string;
  readonly redirectUri: string;
  /** CPU seconds so far of all its processes, the database included. */
  cpu(): Promise<number>;
}

/** Row 11: sign-ins and refreshes for each second of CPU, the embedded issuer against Keycloak. */
export async function benchIdentity(): Promise<readonly Row[]> {
  const haic = await startHaic();
  const keycloak = await startKeycloak({ asReleased: true });
  try {
    await keycloak.importRealm(JSON.parse(await haic.run(['issuer', 'realm'])));
    for (const username of people) {
      await haic.run(['user', 'add', username, '--password-stdin'], { input: password });
      await keycloak.addUser('haic', { username, password, roles: ['user'] });
    }
    return await compareIssuers(await embedded(haic), peer(haic, keycloak));
  } finally {
    await haic.stop();
    await keycloak.stop();
  }
}

async function embedded(haic: Haic): Promise<Contender> {
  const postmaster = await readFile(path.join(haic.home, 'postgres/data/postmaster.pid'), 'utf8');
  const pids = [await pidOf(haic, 'core'), await pidOf(haic, 'router'), Number(postmaster.split('\n')[0])];
  return {
    issuer: `${haic.url}/auth/realms/haic`,
    redirectUri: `${haic.url}/auth/get-platform-token/callback`,
    cpu: async () => (await Promise.all(pids.map(cpuSeconds))).reduce((sum, one) => sum + one, 0),
  };
}

/** Its database is in its own process. */
const peer = (haic: Haic, keycloak: Keycloak): Contender => ({
  issuer: keycloak.issuer('haic'),
  redirectUri: `${haic.url}/auth/get-platform-token/callback`,
  cpu: () => cpuSeconds(keycloak.pid),
});

async function compareIssuers(ours: Contender, theirs: Contender): Promise<readonly Row[]> {
  const signInRates = { ours: [] as number[], theirs: [] as number[] };
  const refreshRates = { ours: [] as number[], theirs: [] as number[] };
  const both = [
    ['ours', ours],
    ['theirs', theirs],
  ] as const;
  for (let round = 0; round < warmUps + rounds; round += 1) {
    for (const [who, contender] of round % 2 === 0 ? both : both.toReversed()) {
      const signedIn = await perCpuSecond(contender, signIns, (username) => signIn(contender, username));
      const token = await signIn(contender, people[0] ?? '');
      const refreshed = await perCpuSecond(contender, refreshes, () => refresh(contender, token));
      if (round < warmUps) continue;
      signInRates[who].push(signedIn);
      refreshRates[who].push(refreshed);
    }
  }
  const row = (id: string, name: string, found: { ours: number[]; theirs: number[] }, least: number) =>
    atLeast(
      {
        id,
        name,
        peer: 'Keycloak 26.7.3',
        unit: '/CPU s',
        ours: median(found.ours),
        theirs: median(found.theirs),
        note: `rounds: ours ${spread(found.ours)}, theirs ${spread(found.theirs)}; argon2id m=7 MiB t=5 p=1 on both; ours with router and PostgreSQL, theirs with H2 inside`,
      },
      least,
    );
  return [row('11', 'sign-ins', signInRates, 1), row('11.refresh', 'refreshes', refreshRates, 2)];
}

async function perCpuSecond(
  contender: Contender,
  count: number,
  work: (username: string) => Promise<unknown>,
) {
  const before = await contender.cpu();
  let left = count;
  const worker = async (username: string) => {
    while (left > 0) {
      left -= 1;
      await work(username);
    }
  };
  await Promise.all(people.map(worker));
  return count / ((await contender.cpu()) - before);
}

/** The whole code flow with PKCE in a browser of its own, as far as it goes over the wire. Returns the refresh token. */
async function signIn({ issuer, redirectUri }: Contender, username: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid offline_access',
    state: randomBytes(8).toString('hex'),
    nonce: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    prompt: 'login',
  });
  const browser = plainBrowser(redirectUri);
  const page = await browser(`${issuer}/protocol/openid-connect/auth?${query}`);
  const form = formOf(page.body, page.url);
  form.fields.set('username', username);
  form.fields.set('password', password);
  const end = await browser(form.action, form.fields);
  const code = new URL(end.url).searchParams.get('code');
  if (code === null) throw new Error(`No code: ended at ${end.url} with ${wordsOf(end.body)}`);
  const tokens = await askToken(issuer, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  return tokens.refresh_token;
}

const refresh = ({ issuer }: Contender, token: string) =>
  askToken(issuer, { grant_type: 'refresh_token', refresh_token: token });

async function askToken(issuer: string, form: Record<string, string>): Promise<{ refresh_token: string }> {
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: clientId, ...form }),
  });
  const body = (await response.json()) as { refresh_token: string };
  if (!response.ok) throw new Error(`The token endpoint answered ${response.status} ${JSON.stringify(body)}`);
  return body;
}

/** Keeps cookies and follows redirects until the one that leads back to the client, which it does not ask. */
function plainBrowser(stopAt: string) {
  const cookies = new Map<string, string>();
  return async (start: string, form?: URLSearchParams): Promise<{ url: string; body: string }> => {
    let url = start;
    let body: URLSearchParams | undefined = form;
    for (let step = 0; step < 10; step += 1) {
      if (url.startsWith(stopAt)) return { url, body: '' };
      const response = await fetch(url, {
        redirect: 'manual',
        headers: {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          origin: new URL(url).origin,
        },
        ...(body === undefined ? {} : { method: 'POST', body }),
      });
      for (const line of response.headers.getSetCookie()) {
        const [name, value] = (line.split(';')[0] ?? '').split(/=(.*)/s);
        if (name !== undefined) cookies.set(name, value ?? '');
      }
      const text = await response.text();
      const next = response.headers.get('location');
      if (next === null) return { url, body: text };
      url = new URL(next, url).href;
      body = undefined;
    }
    throw new Error(`Too many redirects from ${start}`);
  };
}

/** The first form of the page, with what is filled in already. */
function formOf(page: string, base: string): { action: string; fields: URLSearchParams } {
  const form = /<form\b[^>]*>[\s\S]*?<\/form>/i.exec(page)?.[0] ?? '';
  const attribute = (tag: string, name: string) =>
    new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(tag)?.[1]?.replaceAll('&amp;', '&');
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    if (name !== undefined && attribute(tag, 'type') !== 'checkbox')
      fields.set(name, attribute(tag, 'value') ?? '');
  }
  return {
    action: new URL(attribute(form.slice(0, form.indexOf('>') + 1), 'action') ?? base, base).href,
    fields,
  };
}

/** What a page says, for the error that it is quoted in. */
const wordsOf = (page: string): string =>
  page
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 300);

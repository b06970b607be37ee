// biome-ignore lint/style/noRestrictedImports: a provider of somebody else is the same for whoever is its client.
import * as foreign from '@haic/services/identity/brokering/foreign-provider.ts';
import type { SecretsOptions } from '../secrets.ts';
import { type Answer, publicUrl, startTestSecrets, type TestSecrets } from '../testing.ts';

export const { foreignClient } = foreign;

export interface TestOAuth extends TestSecrets {
  readonly corp: foreign.ForeignProvider;
  /** Makes an OAuth client for the provider; its answer. */
  makeClient(id: string, settings?: Record<string, unknown>): Promise<Answer>;
  /** Makes a token source; the message. */
  makeSource(token: string, client: string, id: string, redirectUri?: string): Promise<Source>;
  source(token: string, client: string, id: string): Promise<Source>;
  /** A browser in which somebody is signed in at the portal. */
  browser(token: string): TestBrowser;
}

/** A token source as clients see it. */
export interface Source {
  readonly name: string;
  readonly redirectUri: string;
  readonly loginUri: string;
  readonly loginRequired: boolean;
  readonly accessToken: string;
  readonly issueTime: string | null;
  readonly expireTime: string | null;
  readonly loginTime: string | null;
  readonly subject: string;
  readonly loginPrincipal: string;
}

export interface Page {
  readonly status: number;
  readonly location: string;
  readonly text: string;
  readonly headers: Record<string, unknown>;
}

export interface TestBrowser {
  /** At Haic, with the session's token and this browser's cookies, as the router passes them on. */
  at(url: string): Promise<Page>;
  /** From a login address to the provider and, through all its pages, to the address back. */
  toProvider(loginUri: string): Promise<string>;
  /** The same, and back. */
  logIn(loginUri: string): Promise<Page>;
  /** From the portal's page of connected accounts to the provider, through all its pages, to the address back. */
  fromPortal(client: string, account: string): Promise<string>;
}

export async function startTestOAuth(options: Partial<SecretsOptions> = {}): Promise<TestOAuth> {
  const world = await startTestSecrets(options);
  const callbacks = ['corp', 'other', 'plain', 'short'].map(
    (id) => `${publicUrl}/api/connections/${id}/callback`,
  );
  const corp = await foreign.startForeignProvider(callbacks);
  corp.person = { sub: 'c-1', preferred_username: 'ada.at.corp', email: 'ada@corp.example' };
  const must = async (token: string, method: string, path: string, body?: unknown) => {
    const answer = await world.call(token, method, path, body);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  };
  return {
    ...world,
    corp,
    makeClient: (id, settings = {}) =>
      world.call('admin', 'POST', `oauthClients?oauthClientId=${id}`, {
        ...{ displayName: 'Corp', issuer: corp.issuer },
        ...{ clientId: foreignClient.id, clientSecret: foreignClient.secret },
        ...settings,
      }),
    makeSource: async (token, client, id, redirectUri = `${publicUrl}/apps`) => {
      const path = `oauthClients%2F${client}/tokenSources?tokenSourceId=${id}`;
      return (await must(token, 'POST', path, { redirectUri })).body.tokenSource;
    },
    source: async (token, client, id) =>
      (await must(token, 'GET', `oauthClients%2F${client}%2FtokenSources%2F${id}`)).body.tokenSource,
    browser: (token) => browserOf(world, token),
    stop: async () => {
      await world.stop();
      await corp.stop();
    },
  };
}

function browserOf(world: TestSecrets, token: string): TestBrowser {
  const jar = new Map<string, string>();
  const keep = (lines: readonly string[]) => {
    for (const line of lines) {
      const [pair = ''] = line.split(';');
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
  };
  const cookie = (only: RegExp) =>
    [...jar]
      .filter(([name]) => only.test(name))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ');

  const at: TestBrowser['at'] = async (url) => {
    const answer = await world.server.inject({
      url: url.replace(publicUrl, ''),
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        cookie: cookie(/^haic_connect_/),
      },
    });
    keep([answer.headers['set-cookie'] ?? []].flat());
    const { statusCode: status, headers, body: text } = answer;
    return { status, location: String(headers.location ?? ''), text, headers };
  };
  const through = async (from: string): Promise<string> => {
    let location = from;
    for (let steps = 0; !location.startsWith(publicUrl) && steps < 10; steps++) {
      const answer = await fetch(location, { redirect: 'manual', headers: { cookie: cookie(/^_/) } });
      keep(answer.headers.getSetCookie());
      const next = answer.headers.get('location');
      if (next === null) throw new Error(`${location}: ${answer.status} ${await answer.text()}`);
      location = new URL(next, location).href;
    }
    return location;
  };
  const toProvider = async (loginUri: string) => through((await at(loginUri)).location);
  return {
    ...{ at, toProvider },
    logIn: async (loginUri) => at(await toProvider(loginUri)),
    fromPortal: async (client, account) => {
      const url = `/api/v1/connected-accounts/${client}/${account}/login`;
      const answer = await world.ask(token, 'POST', url);
      if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${answer.text}`);
      keep([answer.headers['set-cookie'] ?? []].flat() as string[]);
      return through(answer.body.url);
    },
  };
}

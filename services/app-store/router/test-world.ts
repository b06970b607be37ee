import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { RawClient } from '@haic/kit/proxy/testing.ts';
import { Browser, startTestApp, startTestPlatform, type TestApp, type TestPlatform } from './testing.ts';

/** The people and instances that the router's tests share: one platform for each test file. */

export let platform: TestPlatform;
export let app: TestApp;
export let ada: { subject: string; password: string };
export let bob: { subject: string; password: string };
export const mine = randomUUID();
export const based = randomUUID();
export const shared = randomUUID();
export const open = randomUUID();

export const appUrl = (id: string, path = '/') => `http://${id}.localhost:${platform.port}${path}`;
export const hostOf = (id: string) => `${id}.localhost`;
export const endpoint = () => ({ appEndpoint: { host: '127.0.0.1', port: app.port } });

/** For `before`. */
export async function setUp(): Promise<void> {
  platform = await startTestPlatform();
  app = await startTestApp();
  ada = await platform.addPerson('ada');
  bob = await platform.addPerson('bob');
  await platform.addPerson('vic', ['visitor']);
  await platform.setRoute({ instanceId: mine, owner: ada.subject, ...endpoint() });
  await platform.setRoute({ instanceId: based, owner: ada.subject, routingMode: 'BASE_URL', ...endpoint() });
  await platform.setRoute({
    instanceId: shared,
    owner: ada.subject,
    visibility: 'ALL_USERS',
    oidc: true,
    ...endpoint(),
  });
  await platform.setRoute({ instanceId: open, owner: ada.subject, visibility: 'PUBLIC', ...endpoint() });
}

/** For `after`. */
export async function tearDown(): Promise<void> {
  await app.close();
  await platform.stop();
}

export async function signedIn(person: { password: string }, username: string): Promise<Browser> {
  const browser = new Browser(platform.port);
  const home = await browser.signIn(`${platform.publicUrl}/login`, username, person.password);
  assert.equal(home.url, `${platform.publicUrl}/`);
  return browser;
}
export const asAda = () => signedIn(ada, 'ada');
export const asBob = () => signedIn(bob, 'bob');

export const seen = (body: string) => JSON.parse(body) as { url: string; method: string; raw: string[] };
export const headerIn = (raw: readonly string[], name: string) =>
  raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);

export const csrfOf = async (browser: Browser) =>
  (JSON.parse((await browser.fetch(`${platform.publicUrl}/session`)).body) as { csrfToken: string })
    .csrfToken;

export function webSocket(
  id: string,
  browser: Browser | undefined,
  headers: Record<string, string> = {},
): RawClient {
  const client = new RawClient(platform.port);
  const cookie = browser?.cookieHeader(new URL(appUrl(id))) ?? '';
  const lines = {
    Host: `${hostOf(id)}:${platform.port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    Origin: `http://${hostOf(id)}:${platform.port}`,
    'Sec-WebSocket-Key': 'dGVzdA==',
    'Sec-WebSocket-Version': '13',
    ...(cookie === '' ? {} : { Cookie: cookie }),
    ...headers,
  };
  const text = Object.entries(lines)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  client.send(`GET /_s/ HTTP/1.1\r\n${text}\r\n`);
  return client;
}

export const accessTokenOf = async (username: string): Promise<string> => {
  const { refreshToken, clientId } = await platform.identity.operator.platformToken(username);
  const answer = await new Browser(platform.port).submit(`${platform.issuer}/protocol/openid-connect/token`, {
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: refreshToken,
  });
  return (JSON.parse(answer.body) as { access_token: string }).access_token;
};

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { exchange, RawClient, statusOf } from '@haic/kit/proxy/testing.ts';
import { Browser, startTestApp, startTestPlatform, type TestApp, type TestPlatform } from './testing.ts';

let platform: TestPlatform;
let app: TestApp;
let ada: { subject: string; password: string };
let bob: { subject: string; password: string };
const mine = randomUUID();
const based = randomUUID();
const shared = randomUUID();
const open = randomUUID();

const appUrl = (id: string, path = '/') => `http://${id}.localhost:${platform.port}${path}`;
const hostOf = (id: string) => `${id}.localhost`;
const endpoint = () => ({ appEndpoint: { host: '127.0.0.1', port: app.port } });

before(async () => {
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
});

after(async () => {
  await app.close();
  await platform.stop();
});

async function signedIn(person: { password: string }, username: string): Promise<Browser> {
  const browser = new Browser(platform.port);
  const home = await browser.signIn(`${platform.publicUrl}/login`, username, person.password);
  assert.equal(home.url, `${platform.publicUrl}/`);
  return browser;
}
const asAda = () => signedIn(ada, 'ada');
const asBob = () => signedIn(bob, 'bob');

const seen = (body: string) => JSON.parse(body) as { url: string; method: string; raw: string[] };
const headerIn = (raw: readonly string[], name: string) =>
  raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);

const csrfOf = async (browser: Browser) =>
  (JSON.parse((await browser.fetch(`${platform.publicUrl}/session`)).body) as { csrfToken: string })
    .csrfToken;

function webSocket(
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

const accessTokenOf = async (username: string): Promise<string> => {
  const { refreshToken, clientId } = await platform.identity.operator.platformToken(username);
  const answer = await new Browser(platform.port).submit(`${platform.issuer}/protocol/openid-connect/token`, {
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: refreshToken,
  });
  return (JSON.parse(answer.body) as { access_token: string }).access_token;
};

describe('opening an app', () => {
  test('one sign-in at the portal leads into the app, with path and query, and no token of the platform', async () => {
    const browser = new Browser(platform.port);
    const page = await browser.signIn(appUrl(mine, '/deep/path?x=1&y=%2F'), 'ada', ada.password);
    assert.equal(page.url, appUrl(mine, '/deep/path?x=1&y=%2F'));
    const { url, raw } = seen(page.body);
    assert.equal(url, '/deep/path?x=1&y=%2F');
    assert.deepEqual(headerIn(raw, 'host'), [`${hostOf(mine)}:${platform.port}`]);
    assert.deepEqual(headerIn(raw, 'cookie'), []);
    assert.deepEqual(headerIn(raw, 'authorization'), []);
    assert.deepEqual(headerIn(raw, 'x-forwarded-proto'), ['http']);
    assert.deepEqual(headerIn(raw, 'x-forwarded-for'), ['127.0.0.1']);
  });

  test('each host has a cookie of its own, which no page and no other host can read', async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const atPortal = browser.cookie('localhost', 'haic_session');
    const atApp = browser.cookie(hostOf(mine), 'haic_session');
    assert.ok(atPortal && atApp && atPortal !== atApp);
    // Neither is worth anything at another host.
    const elsewhere = await browser.fetch(appUrl(shared), {
      headers: { cookie: `haic_session=${atApp}`, accept: '*/*' },
    });
    assert.equal(elsewhere.status, 401);
    const atPortalAgain = await browser.fetch(`${platform.publicUrl}/session`, {
      headers: { cookie: `haic_session=${atApp}` },
    });
    assert.match(atPortalAgain.body, /"signedIn":false/);
  });

  test("another person's PRIVATE instance looks like none, and a visitor opens nothing shared", async () => {
    const browser = await asBob();
    assert.equal((await browser.open(appUrl(mine))).status, 404);
    const missing = await browser.open(appUrl(randomUUID()));
    assert.equal(missing.status, 404);
    assert.equal((await browser.open(appUrl(shared))).status, 200);
    const token = await accessTokenOf('vic');
    const answer = await browser.fetch(appUrl(shared), {
      cookies: false,
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(answer.status, 404);
  });

  test('a PUBLIC instance asks for nothing', async () => {
    const answer = await new Browser(platform.port).fetch(appUrl(open, '/x'));
    assert.equal(answer.status, 200);
    assert.equal(seen(answer.body).url, '/x');
  });

  test('who is not signed in: pages lead to sign-in, everything else is told 401', async () => {
    const browser = new Browser(platform.port);
    assert.equal((await browser.fetch(appUrl(mine))).status, 302);
    assert.equal(
      (await browser.fetch(appUrl(mine), { headers: { accept: 'application/json' } })).status,
      401,
    );
    assert.equal((await browser.fetch(appUrl(mine), { method: 'POST', body: 'x' })).status, 401);
    assert.equal((await browser.fetch(appUrl(mine), { headers: { 'sec-fetch-mode': 'cors' } })).status, 401);
  });

  test('a PUBLIC instance with sign-in of its own asks for our session before that, so that one ends with the other', async () => {
    const id = randomUUID();
    await platform.setRoute({
      instanceId: id,
      owner: ada.subject,
      visibility: 'PUBLIC',
      oidc: true,
      ...endpoint(),
    });
    const browser = new Browser(platform.port);
    assert.equal((await browser.fetch(appUrl(id))).status, 200);
    const signIn = await browser.fetch(appUrl(id, '/_auth/login'));
    assert.match(signIn.location, /\/auth\/ticket\?/);
  });

  test("another app's page can neither read with a visitor's cookie nor change anything", async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const ask = (headers: Record<string, string>, method = 'GET') =>
      browser.fetch(appUrl(mine), { method, headers: { accept: '*/*', ...headers } });
    const foreign = new URL(appUrl(shared)).origin;
    assert.equal((await ask({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' })).status, 401);
    assert.equal((await ask({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' })).status, 401);
    assert.equal((await ask({ origin: foreign }, 'POST')).status, 403);
    assert.equal((await ask({ origin: 'null' }, 'POST')).status, 403);
    assert.equal((await ask({ origin: new URL(appUrl(mine)).origin }, 'POST')).status, 200);
  });

  test('a change of visibility holds at once, also for what is open', async () => {
    const id = randomUUID();
    await platform.setRoute({ instanceId: id, owner: ada.subject, visibility: 'ALL_USERS', ...endpoint() });
    const browser = await asBob();
    assert.equal((await browser.open(appUrl(id))).status, 200);
    const socket = webSocket(id, browser);
    await socket.until((text) => text.includes('101'));
    await platform.setRoute({ instanceId: id, owner: ada.subject, visibility: 'PRIVATE', ...endpoint() });
    await socket.ended();
    assert.equal((await browser.fetch(appUrl(id))).status, 404);
  });
});

describe('forms of address', () => {
  test('a BASE_URL instance is sent from its root to its path, and gets its whole path', async () => {
    const browser = await asAda();
    const page = await browser.open(appUrl(based, '/a?b=c'));
    assert.equal(page.url, appUrl(based, `/instance/${based}/a?b=c`));
    assert.equal(seen(page.body).url, `/instance/${based}/a?b=c`);
    const bare = await browser.fetch(appUrl(based, `/instance/${based}`));
    assert.deepEqual([bare.status, bare.location], [307, appUrl(based, `/instance/${based}/`)]);
  });

  test('a DOMAIN instance is sent from its path form to its root', async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const answer = await browser.fetch(appUrl(mine, `/instance/${mine}/a?b=c`));
    assert.deepEqual([answer.status, answer.location], [307, appUrl(mine, '/a?b=c')]);
  });

  test("the path form on the portal's host leads browsers to the instance's host and serves programs in place", async () => {
    const browser = await asAda();
    const url = `${platform.publicUrl}/instance/${based}/a?b=c`;
    const answer = await browser.fetch(url);
    assert.deepEqual([answer.status, answer.location], [307, appUrl(based, `/instance/${based}/a?b=c`)]);
    const authorization = `Bearer ${await accessTokenOf('ada')}`;
    app.answer = (request, response) => {
      response.setHeader('set-cookie', 'a=1');
      response.end(JSON.stringify({ url: request.url, raw: request.rawHeaders }));
      return true;
    };
    const inPlace = await browser.fetch(url, { cookies: false, headers: { authorization } });
    const rooted = await browser.fetch(`${platform.publicUrl}/instance/${mine}/a?b=c`, {
      cookies: false,
      headers: { authorization },
    });
    app.answer = undefined;
    assert.equal(inPlace.status, 200);
    assert.equal(seen(inPlace.body).url, `/instance/${based}/a?b=c`);
    assert.deepEqual(headerIn(seen(inPlace.body).raw, 'authorization'), []);
    assert.equal(inPlace.headers['set-cookie'], undefined);
    assert.equal(inPlace.headers['content-security-policy'], 'sandbox');
    assert.equal(seen(rooted.body).url, '/a?b=c');
    assert.deepEqual(headerIn(seen(rooted.body).raw, 'host'), [`${hostOf(mine)}:${platform.port}`]);
  });
});

describe('tickets', () => {
  /** The redirects up to the one that carries the ticket. */
  async function ticketFor(browser: Browser, id: string): Promise<string> {
    const toPortal = await browser.fetch(appUrl(id));
    const toApp = await browser.fetch(toPortal.location);
    assert.match(toApp.location, /\/\.haic\/ticket\?t=/);
    return toApp.location;
  }

  test('a ticket is worth nothing in another browser, at another host, or twice', async () => {
    const browser = await asAda();
    const ticket = await ticketFor(browser, mine);
    const thief = new Browser(platform.port);
    await thief.fetch(appUrl(mine));
    assert.equal((await thief.fetch(ticket)).status, 403);
    assert.equal(thief.cookie(hostOf(mine), 'haic_session'), undefined);
    const otherHost = ticket.replace(mine, shared);
    await browser.fetch(appUrl(shared));
    assert.equal((await browser.fetch(otherHost)).status, 403);
    const redeemed = await browser.fetch(ticket);
    assert.deepEqual([redeemed.status, redeemed.location], [302, appUrl(mine)]);
    const other = await asAda();
    await other.fetch(appUrl(mine));
    assert.equal((await other.fetch(ticket)).status, 403);
  });

  test('a ticket that is too old is refused, and never loops', async () => {
    const browser = await asAda();
    const ticket = await ticketFor(browser, mine);
    await platform.database.sql`update router.tickets set expires_at = now() - interval '1 second'`;
    const answer = await browser.fetch(ticket);
    assert.equal(answer.status, 403);
    assert.match(answer.body, /Open the app/);
  });

  test('a browser that keeps no cookies gets a page, not a loop', async () => {
    const browser = await asAda();
    const toPortal = await browser.fetch(appUrl(mine), { cookies: false });
    browser.cookies.delete(`${hostOf(mine)} haic_ticket`);
    const end = await browser.open(toPortal.location);
    assert.equal(end.status, 403);
  });

  test('where to go next never leaves the host', async () => {
    const browser = await asAda();
    for (const next of [
      '//evil.test',
      '/\\evil.test',
      '/\t/evil.test',
      'http://evil.test/',
      '/.//evil.test',
      '/\r\nX: 1',
    ]) {
      const login = await browser.fetch(`${platform.publicUrl}/login?next=${encodeURIComponent(next)}`);
      const landed = await browser.open(login.location);
      assert.ok(landed.url.startsWith(`${platform.publicUrl}/`), `${next} led to ${landed.url}`);
      await browser.fetch(appUrl(mine), { cookies: false });
      const toPortal = await new Browser(platform.port).fetch(appUrl(mine));
      const url = new URL(toPortal.location);
      url.searchParams.set('next', next);
      const toApp = await browser.fetch(url.href);
      assert.equal(new URL(toApp.location).host, `${hostOf(mine)}:${platform.port}`);
      const [row] = await platform.database.sql<
        { next: string }[]
      >`select next from router.tickets order by expires_at desc limit 1`;
      assert.ok(
        new URL(`${new URL(appUrl(mine)).origin}${row?.next}`).host === `${hostOf(mine)}:${platform.port}`,
      );
      assert.match(row?.next ?? '', /^\//);
    }
  });
});

describe('cookies', () => {
  test('fifty planted cookies of the same name do not disturb a session, and do not reach the app', async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const real = browser.cookie(hostOf(mine), 'haic_session');
    const planted = Array.from({ length: 50 }, (_, i) => `haic_session=planted${i}`).join('; ');
    const answer = await browser.fetch(appUrl(mine), {
      headers: {
        cookie: `${planted}; HAIC_Session=x; __Host-haic_session=y; theirs=1; haic_session=${real}; =haic_session=z`,
      },
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(headerIn(seen(answer.body).raw, 'cookie'), ['theirs=1']);
  });

  test('an app can set cookies of its own and no others', async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    app.answer = (_request, response) => {
      response.setHeader('set-cookie', [
        'mine=1; Path=/',
        `exact=1; Domain=${hostOf(mine)}`,
        'parent=1; Domain=localhost',
        'dotted=1; Path=/; domain = .localhost',
        'haic_session=x',
        '__Host-haic_session=x; Secure; Path=/',
        'Haic_Ticket=x',
        '=haic_session=x',
        'haic_session',
        'oidcsession_fake=1',
      ]);
      response.setHeader('clear-site-data', '"cookies"');
      response.end();
      return true;
    };
    const answer = await browser.fetch(appUrl(mine));
    app.answer = undefined;
    assert.deepEqual(answer.headers['set-cookie'], ['mine=1; Path=/', `exact=1; Domain=${hostOf(mine)}`]);
    assert.equal(answer.headers['clear-site-data'], undefined);
  });

  test("waved's session belongs to one session of ours: the browser's next user does not inherit it", async () => {
    const browser = await asAda();
    await browser.open(appUrl(shared));
    app.answer = (_request, response) => {
      response.setHeader('set-cookie', 'oidcsession=ada-at-waved; Path=/; HttpOnly');
      response.end();
      return true;
    };
    await browser.fetch(appUrl(shared, '/_auth/init'));
    app.answer = undefined;
    const renamed = [...browser.cookies.values()].find(({ name }) => name.startsWith('oidcsession'));
    assert.match(renamed?.name ?? '', /^oidcsession_[\w-]{16}$/);
    assert.equal(renamed?.value, 'ada-at-waved');
    const own = await browser.fetch(appUrl(shared));
    assert.deepEqual(headerIn(seen(own.body).raw, 'cookie'), ['oidcsession=ada-at-waved']);

    // Someone else signs in with the same browser; every cookie of waved is still there.
    await browser.submit(`${platform.publicUrl}/logout`, { csrf: await csrfOf(browser) });
    for (const [key, { name }] of browser.cookies) if (name.startsWith('haic')) browser.cookies.delete(key);
    const next = await browser.signIn(appUrl(shared), 'bob', bob.password);
    assert.deepEqual(headerIn(seen(next.body).raw, 'cookie'), []);
    assert.ok(!browser.cookies.has(`${hostOf(shared)} ${renamed?.name}`), 'the dead cookie is removed');
  });
});

describe('headers', () => {
  test('identity headers of clients are dropped, in any spelling, on requests and upgrades', async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const cookie = browser.cookieHeader(new URL(appUrl(mine)));
    const forged =
      'X-H2O-User: root\r\nx-h2o-user: root\r\nX_H2O_User: root\r\nX-HAIC-Subject: root\r\nX-Forwarded-For: 6.6.6.6\r\n' +
      'X_Forwarded_Host: evil\r\nX-Forwarded-Host: evil\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n' +
      'Remote-User: root\r\nAuthorization: Basic eDp5\r\nX-Kept: 1\r\n';
    const answer = await exchange(
      platform.port,
      `GET / HTTP/1.1\r\nHost: ${hostOf(mine)}:${platform.port}\r\nConnection: close\r\nCookie: ${cookie}\r\n${forged}\r\n`,
    );
    assert.match(answer, /"X-Kept"|"x-kept"/);
    assert.doesNotMatch(answer, /root|6\.6\.6\.6|evil|eDp5/);
    const socket = webSocket(mine, browser, {
      'X-H2O-User': 'root',
      X_H2O_User: 'root',
      'X-Forwarded-For': '6.6.6.6',
    });
    await socket.until((text) => text.includes('\r\n\r\n'));
    const saw = Buffer.from(/x-saw: (\S+)/i.exec(socket.received)?.[1] ?? '', 'base64').toString();
    assert.doesNotMatch(saw, /root|6\.6\.6\.6|haic_session/);
    assert.doesNotMatch(socket.received, /set-cookie/i);
    socket.close();
  });

  test('only exactly our hosts are served', async () => {
    for (const host of [
      'evil.test',
      `localhost.:${platform.port}`,
      'localhost',
      `${mine}.localhost`,
      `${mine}.evil.localhost:${platform.port}`,
      `x${mine}.localhost:${platform.port}`,
      `${mine}.localhost.:${platform.port}`,
      `localhost:${platform.port}@evil.test`,
    ]) {
      const answer = await exchange(
        platform.port,
        `GET /seen HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Host: localhost:${platform.port}\r\nConnection: close\r\n\r\n`,
      );
      assert.equal(statusOf(answer), 404, host);
    }
    const upper = await exchange(
      platform.port,
      `GET /seen HTTP/1.1\r\nHost: LOCALHOST:${platform.port}\r\nConnection: close\r\n\r\n`,
    );
    assert.equal(statusOf(upper), 200);
    const two = await exchange(
      platform.port,
      `GET / HTTP/1.1\r\nHost: localhost:${platform.port}\r\nHost: ${hostOf(open)}:${platform.port}\r\n\r\n`,
    );
    assert.equal(statusOf(two), 400);
  });

  test('pipelined requests keep their own authorisation', async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const cookie = browser.cookieHeader(new URL(appUrl(mine)));
    const host = `Host: ${hostOf(mine)}:${platform.port}\r\n`;
    const answer = await exchange(
      platform.port,
      `GET /1 HTTP/1.1\r\n${host}Cookie: ${cookie}\r\n\r\nGET /2 HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    );
    assert.deepEqual(
      [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]),
      ['200', '401'],
    );
  });
});

describe('WebSockets', () => {
  test('a session opens them only from its own host', async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const socket = webSocket(mine, browser);
    await socket.until((text) => text.includes('101'));
    socket.send('hello');
    await socket.until((text) => text.endsWith('hello'));
    socket.close();
    const bobs = await asBob();
    const cases: [string, Browser | undefined, Record<string, string>, number][] = [
      ['no session', undefined, {}, 401],
      ['the cookie of another person at another host', bobs, {}, 401],
      ['another origin', browser, { Origin: 'http://evil.test' }, 403],
      ["another app's origin", browser, { Origin: `http://${hostOf(shared)}:${platform.port}` }, 403],
      ["the portal's origin", browser, { Origin: platform.publicUrl }, 403],
      ['no origin', browser, { Origin: '' }, 403],
      ['the null origin', browser, { Origin: 'null' }, 403],
    ];
    for (const [what, who, headers, status] of cases) {
      const refused = webSocket(mine, who, headers);
      assert.equal(statusOf(await refused.ended()), status, what);
    }
  });

  test('a program opens them with a token', async () => {
    const socket = webSocket(mine, undefined, {
      Origin: '',
      Authorization: `Bearer ${await accessTokenOf('ada')}`,
    });
    await socket.until((text) => text.includes('101'));
    socket.close();
  });

  test('signing out ends WebSockets and streams at once, in every router, and the cookie is dead', async () => {
    const { createRouter } = await import('./router.ts');
    const second = await createRouter({ ...platform.options, listen: [{ host: '127.0.0.1', port: 0 }] });
    const { port } = await second.listen();
    await second.routesReady;
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const cookie = browser.cookieHeader(new URL(appUrl(mine)));
    const here = webSocket(mine, browser);
    await here.until((text) => text.includes('101'));
    const there = new RawClient(port);
    there.send(
      `GET /_s/ HTTP/1.1\r\nHost: ${hostOf(mine)}:${platform.port}\r\nOrigin: ${new URL(appUrl(mine)).origin}\r\n` +
        `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGVzdA==\r\nSec-WebSocket-Version: 13\r\nCookie: ${cookie}\r\n\r\n`,
    );
    await there.until((text) => text.includes('101'));
    const stream = new RawClient(platform.port);
    stream.send(
      `GET /api/v1/stream HTTP/1.1\r\nHost: localhost:${platform.port}\r\nCookie: ${browser.cookieHeader(new URL(platform.publicUrl))}\r\n\r\n`,
    );
    await stream.until((text) => text.includes('data: 1'));
    const out = await browser.submit(`${platform.publicUrl}/logout`, { csrf: await csrfOf(browser) });
    assert.equal(out.status, 303);
    await Promise.all([here.ended(), there.ended(), stream.ended()]);
    await second.close();
    const dead = await browser.fetch(appUrl(mine), { headers: { cookie, accept: '*/*' } });
    assert.equal(dead.status, 401);
    await browser.open(out.location);
    assert.match((await browser.open(appUrl(mine))).body, /name="password"/, 'the issuer asks again');
  });
});

describe("the portal's host", () => {
  test("its cookie becomes the person's token at the API, and goes no further", async () => {
    const browser = await asAda();
    const answer = await browser.fetch(`${platform.publicUrl}/api/v1/seen`);
    const body = JSON.parse(answer.body) as { username: string; raw: string[] };
    assert.equal(body.username, 'ada');
    assert.deepEqual(headerIn(body.raw, 'cookie'), []);
    assert.match(headerIn(body.raw, 'authorization')[0] ?? '', /^Bearer ey/);
    const other = await browser.fetch(`${platform.publicUrl}/seen`);
    assert.doesNotMatch(other.body, /cookie|authorization/i);
    assert.equal((await new Browser(platform.port).fetch(`${platform.publicUrl}/api/v1/seen`)).status, 401);
  });

  test('a change needs the CSRF token and our own origin', async () => {
    const browser = await asAda();
    const csrf = await csrfOf(browser);
    const url = `${platform.publicUrl}/api/v1/seen`;
    const post = (headers: Record<string, string>) =>
      browser.fetch(url, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json', ...headers },
      });
    const origin = platform.publicUrl;
    assert.equal((await post({ origin, 'x-haic-csrf': csrf })).status, 200);
    assert.equal((await post({ origin })).status, 403);
    assert.equal((await post({ origin, 'content-type': 'text/plain' })).status, 403);
    assert.equal((await post({ origin, 'x-haic-csrf': 'wrong' })).status, 403);
    assert.equal((await post({ 'x-haic-csrf': csrf })).status, 403);
    assert.equal((await post({ origin: 'http://evil.test', 'x-haic-csrf': csrf })).status, 403);
    assert.equal((await post({ origin: 'null', 'x-haic-csrf': csrf })).status, 403);
    assert.equal((await post({ origin: new URL(appUrl(mine)).origin, 'x-haic-csrf': csrf })).status, 403);
    const stranger = await asBob();
    assert.equal((await post({ origin, 'x-haic-csrf': await csrfOf(stranger) })).status, 403);
    const cross = await browser.fetch(url, {
      headers: { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' },
    });
    assert.equal(cross.status, 401, 'a page of an app reads nothing with our cookie');
    assert.equal((await browser.submit(`${platform.publicUrl}/logout`, { csrf: 'wrong' })).status, 403);
    assert.match((await browser.fetch(`${platform.publicUrl}/session`)).body, /"signedIn":true/);
  });

  test('internal calls do not exist from outside, however they are spelt', async () => {
    const token = `Bearer ${await accessTokenOf('ada')}`;
    for (const path of [
      '/internal/routes',
      '/%69nternal/routes',
      '//internal/routes',
      '/x/..%2finternal/routes',
      '/Internal/',
      '/internal',
      '/./internal/x',
      '/%2569nternal/routes',
      '/x/../internal/routes',
    ]) {
      const answer = await exchange(
        platform.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost:${platform.port}\r\nAuthorization: ${token}\r\nConnection: close\r\n\r\n`,
      );
      assert.equal(statusOf(answer), 404, path);
    }
  });

  test("the launcher's signed calls pass untouched, without anybody's token", async () => {
    const browser = await asAda();
    const answer = await browser.fetch(`${platform.publicUrl}/api/launcher/v1/seen`, {
      headers: { 'x-haic-signature': 'abc', 'x-haic-timestamp': '1' },
    });
    assert.match(answer.body, /"x-haic-signature":"abc"/);
    assert.doesNotMatch(answer.body, /Bearer|cookie/i);
  });

  test('pages get security headers, and core cannot set our cookies', async () => {
    const answer = await new Browser(platform.port).fetch(`${platform.publicUrl}/`);
    assert.match(
      String(answer.headers['content-security-policy']),
      /default-src 'self'.*frame-ancestors 'none'/,
    );
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.headers['referrer-policy'], 'same-origin');
    assert.equal(answer.headers['set-cookie'], undefined);
  });

  test('health needs no host and no session', async () => {
    const answer = await exchange(
      platform.port,
      'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
    );
    assert.equal(statusOf(answer), 200);
  });
});

describe('sign-in', () => {
  test('a callback in another browser, twice, or without its state signs nobody in', async () => {
    const victim = new Browser(platform.port);
    const login = await victim.fetch(`${platform.publicUrl}/login`);
    const form = await victim.open(login.location);
    const answer = await victim.submit(form.url, { username: 'ada', password: ada.password });
    let callback = answer.location;
    while (!callback.includes('/oauth2/callback')) callback = (await victim.fetch(callback)).location;
    const other = new Browser(platform.port);
    assert.equal((await other.fetch(callback)).status, 400);
    await other.fetch(`${platform.publicUrl}/login`);
    assert.equal((await other.fetch(callback)).status, 400);
    const swapped = new URL(callback);
    swapped.searchParams.set('state', 'x'.repeat(43));
    assert.equal((await victim.fetch(swapped.href)).status, 400);
    const cookies = new Map(victim.cookies);
    assert.equal((await victim.fetch(callback)).status, 302);
    for (const [key, value] of cookies) victim.cookies.set(key, value);
    const replayed = await victim.fetch(callback);
    assert.equal(replayed.status, 400);
    assert.match(replayed.body, /Sign in/);
  });

  test('each sign-in makes a new session and ends the one before', async () => {
    const browser = await asAda();
    const before = browser.cookie('localhost', 'haic_session');
    await browser.open(`${platform.publicUrl}/login`);
    const afterwards = browser.cookie('localhost', 'haic_session');
    assert.notEqual(before, afterwards);
    const old = await browser.fetch(`${platform.publicUrl}/session`, {
      headers: { cookie: `haic_session=${before}` },
    });
    assert.match(old.body, /"signedIn":false/);
  });

  test('personal tokens are shown once, to whom they belong', async () => {
    const browser = await asAda();
    const page = await browser.open(`${platform.publicUrl}/auth/get-platform-token`);
    assert.equal(page.url, `${platform.publicUrl}/cli-and-api-access?token=platform`);
    const csrf = await csrfOf(browser);
    const take = (kind: string) =>
      browser.fetch(`${platform.publicUrl}/session/one-time-token`, {
        method: 'POST',
        body: JSON.stringify({ kind }),
        headers: { origin: platform.publicUrl, 'x-haic-csrf': csrf, 'content-type': 'application/json' },
      });
    assert.equal((await take('cli')).status, 404);
    const first = await take('platform');
    assert.equal(first.status, 200);
    const { token } = JSON.parse(first.body) as { token: string };
    const refreshed = await browser.submit(`${platform.issuer}/protocol/openid-connect/token`, {
      grant_type: 'refresh_token',
      client_id: 'haic-platform',
      refresh_token: token,
    });
    assert.equal(refreshed.status, 200);
    assert.equal((await take('platform')).status, 404);
  });
});

describe('tokens of apps and services', () => {
  test("an app's token opens its own instance and no other", async () => {
    const instanceId = shared;
    await platform.identity.client.registerAppClient({
      instanceId,
      redirectUri: appUrl(instanceId, '/_auth/callback'),
      postLogoutRedirectUri: appUrl(instanceId),
      name: 'x',
    });
    const { accessToken } = await platform.identity.client.mintAppToken({ instanceId, subject: ada.subject });
    const ask = (id: string) =>
      new Browser(platform.port).fetch(appUrl(id), {
        headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
      });
    assert.equal((await ask(instanceId)).status, 200);
    assert.equal((await ask(mine)).status, 403);
    const invalid = await new Browser(platform.port).fetch(appUrl(mine), {
      headers: { authorization: 'Bearer x.y.z', accept: 'application/json' },
    });
    assert.equal(invalid.status, 401);
  });
});

describe('what is not there yet, or not any more', () => {
  test('an instance that starts shows its own status page, then the app', async () => {
    const id = randomUUID();
    const status = await startTestApp();
    const starting = {
      instanceId: id,
      owner: ada.subject,
      statusEndpoint: { host: '127.0.0.1', port: status.port },
    };
    await platform.setRoute({ ...starting, status: 'STARTING' });
    const browser = await asAda();
    const page = await browser.open(appUrl(id, '/deep'));
    assert.equal(seen(page.body).url, '/');
    assert.equal(statusOf(await webSocket(id, browser).ended()), 503);
    await platform.setRoute({ ...starting, ...endpoint() });
    assert.equal(seen((await browser.fetch(appUrl(id, '/deep'))).body).url, '/deep');
    await status.close();
  });

  test('without anything to show there is a page of our own that asks again by itself', async () => {
    const id = randomUUID();
    const browser = await asAda();
    await platform.setRoute({
      instanceId: id,
      owner: ada.subject,
      status: 'PENDING',
      message: 'Waiting for <memory>',
    });
    const page = await browser.open(appUrl(id));
    assert.equal(page.status, 503);
    assert.match(page.body, /http-equiv="refresh"/);
    assert.match(page.body, /Waiting for &lt;memory&gt;/);
    assert.equal(page.headers['retry-after'], '2');
    await platform.setRoute({ instanceId: id, owner: ada.subject, status: 'FAILED', message: 'exit code 1' });
    const failed = await browser.fetch(appUrl(id));
    assert.match(failed.body, /could not start[\s\S]*exit code 1/);
    assert.doesNotMatch(failed.body, /http-equiv="refresh"/);
    const gone = await startTestApp();
    await gone.close();
    await platform.setRoute({
      instanceId: id,
      owner: ada.subject,
      appEndpoint: { host: '127.0.0.1', port: gone.port },
    });
    const refused = await browser.fetch(appUrl(id));
    assert.equal(refused.status, 503);
    assert.match(refused.body, /Just a moment[\s\S]*not answering/);
    const program = await browser.fetch(appUrl(id), { headers: { accept: 'application/json' } });
    assert.equal(program.headers['content-type'], 'application/problem+json');
    platform.removeRoute(id);
    await until(async () => ((await browser.fetch(appUrl(id))).status === 404 ? true : undefined), {
      everyMs: 20,
      signal: deadline(5_000),
    });
  });
});

describe('the issuer says that it is over', () => {
  test('disabling a person ends their sessions and open WebSockets by the back channel', async () => {
    const eve = await platform.addPerson('eve');
    const browser = await signedIn(eve, 'eve');
    await browser.open(appUrl(shared));
    const socket = webSocket(shared, browser);
    await socket.until((text) => text.includes('101'));
    await platform.identity.operator.change('eve', { disabled: true });
    await socket.ended();
    assert.match((await browser.fetch(`${platform.publicUrl}/session`)).body, /"signedIn":false/);
  });

  test('signing out at the issuer ends the session here, with everything that is open', async () => {
    const browser = await asAda();
    const other = await asAda();
    await browser.open(appUrl(mine));
    const socket = webSocket(mine, browser);
    await socket.until((text) => text.includes('101'));
    await browser.open(`${platform.issuer}/protocol/openid-connect/logout?client_id=haic-portal`);
    await socket.ended();
    assert.match((await browser.fetch(`${platform.publicUrl}/session`)).body, /"signedIn":false/);
    assert.match((await other.fetch(`${platform.publicUrl}/session`)).body, /"signedIn":true/);
  });

  test('a session that ended while the database was not heard is closed when it is heard again', async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const socket = webSocket(mine, browser);
    await socket.until((text) => text.includes('101'));
    const { sql } = platform.database;
    await sql`alter table router.sessions disable trigger ended`;
    await sql`delete from router.sessions where subject = ${ada.subject}`;
    await sql`alter table router.sessions enable trigger ended`;
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()`;
    await socket.ended();
    assert.equal((await browser.fetch(appUrl(mine), { headers: { accept: '*/*' } })).status, 401);
  });

  test('a logout token that is not one is refused', async () => {
    const browser = new Browser(platform.port);
    const post = (fields: Record<string, string>) =>
      browser.submit(`${platform.publicUrl}/oauth2/backchannel-logout`, fields);
    assert.equal((await post({})).status, 400);
    assert.equal((await post({ logout_token: 'x.y.z' })).status, 400);
    assert.equal((await post({ logout_token: await accessTokenOf('ada') })).status, 400);
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    const claims = {
      iss: platform.issuer,
      aud: 'haic-portal',
      sub: ada.subject,
      iat: Math.floor(Date.now() / 1000),
      jti: 'a',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    };
    const forged = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
    assert.equal((await post({ logout_token: forged })).status, 400);
  });

  test('a refresh that the issuer refuses ends the session; an issuer that is away ends nothing', async () => {
    const tom = await platform.addPerson('tom');
    const browser = await signedIn(tom, 'tom');
    await browser.open(appUrl(shared));
    const expire = () => platform.database.sql`
      update router.sessions set access_expires_at = now() - interval '1 minute', sealed_tokens = sealed_tokens
      where subject = ${tom.subject} and parent is null`;
    await platform.core.stop();
    await expire();
    const away = await browser.fetch(appUrl(shared));
    assert.equal(away.status, 200, 'apps go on');
    const portal = await browser.fetch(`${platform.publicUrl}/`);
    assert.equal(portal.status, 503);
    assert.match(portal.body, /Just a moment/);
    const api = await browser.fetch(`${platform.publicUrl}/api/v1/seen`, {
      headers: { accept: 'application/json' },
    });
    assert.equal(api.status, 503);
    assert.equal(api.headers['content-type'], 'application/problem+json');
    await platform.core.start();
    await platform.database.sql`delete from identity.artifacts where account_id = ${tom.subject}`;
    await until(
      async () => {
        await expire();
        return (await browser.fetch(appUrl(shared), { headers: { accept: '*/*' } })).status === 401
          ? true
          : undefined;
      },
      { everyMs: 500, signal: deadline(20_000) },
    );
    assert.match((await browser.fetch(`${platform.publicUrl}/session`)).body, /"signedIn":false/);
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  accessTokenOf,
  ada,
  app,
  appUrl,
  asAda,
  asBob,
  based,
  endpoint,
  headerIn,
  hostOf,
  mine,
  open,
  platform,
  seen,
  setUp,
  shared,
  tearDown,
  webSocket,
} from './test-world.ts';
import { Browser } from './testing.ts';

before(setUp);
after(tearDown);

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

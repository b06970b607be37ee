import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { exchange, RawClient, statusOf } from '@haic/kit/proxy/testing.ts';
import {
  accessTokenOf,
  app,
  appUrl,
  asAda,
  asBob,
  bob,
  csrfOf,
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

  test('where a login at another provider begins, core gives its cookie and none of ours', async () => {
    const browser = await asAda();
    const given = async (at: string) =>
      (await browser.fetch(`${platform.publicUrl}/api/v1/${at}/login`)).headers['set-cookie'];
    assert.deepEqual(await given('connected-accounts/c/a'), ['haic_connect_s=1; Path=/']);
    assert.equal(await given('other'), undefined);
  });

  test('health needs no host and no session', async () => {
    const answer = await exchange(
      platform.port,
      'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
    );
    assert.equal(statusOf(answer), 200);
  });
});

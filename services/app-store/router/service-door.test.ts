import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { exchange, statusOf } from '@haic/kit/proxy/testing.ts';
import {
  accessTokenOf,
  appUrl,
  asAda,
  asBob,
  csrfOf,
  headerIn,
  mine,
  platform,
  seen,
  setUp,
  tearDown,
} from './test-world.ts';
import { Browser } from './testing.ts';

before(setUp);
after(tearDown);

const plain = (path: string) => `${platform.publicUrl}/shelf${path}`;
const door = (path: string) => `${platform.publicUrl}/api/services/shelf${path}`;
const name = '/v1/workspaces%2Fdefault%2Fbooks%2Fmy-book';

describe('services for programs', () => {
  test('are reached with a token, their addresses as they were sent', async () => {
    const headers = { authorization: `Bearer ${await accessTokenOf('ada')}` };
    for (const path of [name, '//v1/books', '/v1/a%252Fb:undelete?pageToken=&x=%2F', '/v1/..%2Fx']) {
      const answer = await new Browser(platform.port).fetch(plain(path), { headers });
      assert.equal(answer.status, 200, path);
      assert.equal(seen(answer.body).url, `/shelf${path}`);
    }
  });

  test('are told one id of each request, which no client chooses', async () => {
    const chosen = '0c5e9f8e-1f43-4f0e-9d0b-6a1f5f2d7c11';
    const headers = { authorization: `Bearer ${await accessTokenOf('ada')}`, 'x-haic-request-id': chosen };
    const browser = new Browser(platform.port);
    const answers = [
      await browser.fetch(plain(name), { headers }),
      await browser.fetch(plain(name), { headers }),
    ];
    const ids = answers.map(({ body }) => headerIn(seen(body).raw, 'x-haic-request-id'));
    for (const id of ids) assert.match(id.join(), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal(new Set([chosen, ...ids.flat()]).size, 3);
  });

  test('ignore cookies', async () => {
    const browser = await asAda();
    const answer = await browser.fetch(plain(name));
    assert.equal(answer.status, 401);
    const csrf = await csrfOf(browser);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/json'])
        for (const origin of ['http://evil.test', platform.publicUrl]) {
          const headers = { origin, 'content-type': type, 'x-haic-csrf': csrf };
          const { status } = await browser.fetch(plain(name), { method, body: '{}', headers });
          assert.equal(status, 401, `${method} ${type} ${origin}`);
        }
    const { authorization } = { authorization: `Bearer ${await accessTokenOf('bob')}` };
    const asked = await browser.fetch(plain(name), { headers: { authorization } });
    assert.equal((JSON.parse(asked.body) as { username: string }).username, 'bob');
    assert.deepEqual(headerIn(seen(asked.body).raw, 'cookie'), []);
  });
});

describe("the portal's door to them", () => {
  test("makes of the session's cookie the person's token", async () => {
    const browser = await asAda();
    const answer = await browser.fetch(door(`${name}?pageSize=2`));
    assert.equal(answer.status, 200);
    assert.equal((JSON.parse(answer.body) as { username: string }).username, 'ada');
    const { url, raw } = seen(answer.body);
    assert.equal(url, `/shelf${name}?pageSize=2`);
    assert.deepEqual(headerIn(raw, 'cookie'), []);
    assert.equal((await new Browser(platform.port).fetch(door(name))).status, 401, 'nobody is signed in');
  });

  test('lets nothing be changed without the CSRF token and from elsewhere', async () => {
    const browser = await asAda();
    const csrf = await csrfOf(browser);
    const bobs = await csrfOf(await asBob());
    const origin = platform.publicUrl;
    const json = { 'content-type': 'application/json' };
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const change = async (headers: Record<string, string>) =>
        (await browser.fetch(door('/v1/books'), { method, body: '{}', headers })).status;
      assert.equal(await change({ origin, 'x-haic-csrf': csrf, ...json }), 200, method);
      assert.equal(await change({ origin, ...json }), 403, method);
      assert.equal(await change({ origin, 'x-haic-csrf': bobs, ...json }), 403, method);
      assert.equal(await change({ 'x-haic-csrf': csrf, ...json }), 403, method);
      for (const foreign of ['http://evil.test', 'null', new URL(appUrl(mine)).origin]) {
        assert.equal(await change({ origin: foreign, 'x-haic-csrf': csrf, ...json }), 403, foreign);
        for (const type of [
          'application/x-www-form-urlencoded',
          'multipart/form-data; boundary=x',
          'text/plain',
        ])
          assert.equal(await change({ origin: foreign, 'content-type': type }), 403, `${method} ${type}`);
      }
    }
  });

  test('is closed to what other sites and apps make a browser send, links included', async () => {
    const browser = await asAda();
    for (const site of ['cross-site', 'same-site'])
      for (const mode of ['navigate', 'cors', 'no-cors']) {
        const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': mode };
        assert.equal((await browser.fetch(door(name), { headers })).status, 403, `${site} ${mode}`);
      }
    const own = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
    assert.equal((await browser.fetch(door(name), { headers: own })).status, 200);
  });

  test('leads to services only, however the address is spelt', async () => {
    const browser = await asAda();
    const cookie = browser.cookieHeader(new URL(platform.publicUrl));
    for (const path of [
      '/api/services/seen',
      '/api/services/shelf',
      '/api/services/shelfish/v1',
      '/api/services/internal/routes',
      '/api/services/shelf/../internal/routes',
      '/api/services/shelf/..%2f..%2finternal/routes',
      '/api/services/shelf/%252e%252e/seen',
      '/api/services//shelf/v1',
      '/api/services/SHELF/v1',
      '/api/services/%73helf/v1',
    ]) {
      const answer = await exchange(
        platform.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost:${platform.port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
      );
      assert.equal(statusOf(answer), 404, path);
    }
  });

  test('is not at the hosts of apps', async () => {
    const browser = await asAda();
    await browser.open(appUrl(mine));
    const answer = await browser.fetch(appUrl(mine, '/api/services/shelf/v1/books'));
    assert.equal(seen(answer.body).url, '/api/services/shelf/v1/books', 'the app itself was asked');
    assert.deepEqual(headerIn(seen(answer.body).raw, 'authorization'), []);
  });
});

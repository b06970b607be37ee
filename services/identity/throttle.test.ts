import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { networkOf } from '@haic/kit/http/address.ts';
import * as oidc from 'openid-client';
import { portalSecret, startTestIdentity, type TestIdentity } from './test-identity.ts';
import { TestBrowser } from './testing.ts';

const password = 'correct horse battery staple';

suite('Guessing passwords', () => {
  let haic: TestIdentity;
  let now = new Date();
  before(async () => {
    haic = await startTestIdentity({
      clock: () => now,
      throttlePolicy: {
        perPerson: 3,
        perAddress: 8,
        windowMs: 60_000,
        firstBlockMs: 10_000,
        longestBlockMs: 30_000,
      },
    });
    for (const username of ['ada', 'grace', 'edsger', 'barbara', 'alan'])
      await haic.identity.operator.add({ username, roles: ['user'], groups: [] }, password);
  });
  after(() => haic.stop());

  const later = (milliseconds: number) => {
    now = new Date(now.getTime() + milliseconds);
  };

  async function attempt(browser: TestBrowser, username: string, given: string) {
    const config = await haic.clientOf(wellKnownClients.portal, portalSecret);
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: `${haic.publicUrl}/oauth2/callback`,
      scope: 'openid',
      state: 's',
      prompt: 'login',
      code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    });
    const page = await browser.follow(url.href, (at) => at.includes('/login/'));
    const response = await browser.submit(page.url, { username, password: given });
    await response.arrayBuffer();
    return response;
  }
  const statuses = async (browser: TestBrowser, username: string, given: readonly string[]) => {
    const all: number[] = [];
    for (const one of given) all.push((await attempt(browser, username, one)).status);
    return all;
  };

  test('after a few failures that place has to wait, even with the right password, then may again', async () => {
    const browser = new TestBrowser({ address: '203.0.113.1' });
    assert.deepEqual(await statuses(browser, 'ada', ['a', 'b', 'c', password]), [401, 401, 401, 429]);
    const refused = await attempt(browser, 'ada', password);
    assert.equal(refused.headers.get('retry-after'), '10');
    later(10_001);
    assert.equal((await attempt(browser, 'ada', password)).status, 303);
  });

  test('the wait grows with more failures, up to a limit', async () => {
    const browser = new TestBrowser({ address: '203.0.113.2' });
    await statuses(browser, 'grace', ['a', 'b', 'c']);
    const waits: (string | null)[] = [];
    for (let round = 0; round < 3; round++) {
      waits.push((await attempt(browser, 'grace', 'd')).headers.get('retry-after'));
      later(Number(waits.at(-1)) * 1000 + 1);
      await attempt(browser, 'grace', 'd');
    }
    assert.deepEqual(waits, ['10', '20', '30']);
  });

  test('whoever guesses elsewhere locks nobody out', async () => {
    await statuses(new TestBrowser({ address: '203.0.113.3' }), 'edsger', ['a', 'b', 'c', 'd', 'e']);
    assert.equal(
      (await attempt(new TestBrowser({ address: '203.0.113.4' }), 'edsger', password)).status,
      303,
    );
  });

  test('a browser that signed in before gets in although its whole address is blocked', async () => {
    const address = '203.0.113.5';
    const known = new TestBrowser({ address });
    assert.equal((await attempt(known, 'barbara', password)).status, 303);
    const attacker = new TestBrowser({ address });
    for (const name of ['barbara', 'x1', 'x2', 'x3', 'x4']) await statuses(attacker, name, ['a', 'b']);
    assert.equal((await attempt(new TestBrowser({ address }), 'alan', password)).status, 429);
    assert.equal((await attempt(known, 'barbara', password)).status, 303);
    // Its token is barbara's: it opens no door to anyone else, and its own guesses count too.
    assert.equal((await attempt(known, 'alan', password)).status, 429);
    assert.deepEqual(await statuses(known, 'barbara', ['a', 'b', 'c', password]), [401, 401, 401, 429]);
  });

  test('attempts made all at once count like attempts in a row', async () => {
    const all = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        attempt(new TestBrowser({ address: '203.0.113.6' }), 'alan', `guess ${index}`),
      ),
    );
    const judged = all.filter((response) => response.status === 401).length;
    assert.ok(judged <= 3, `${judged} were judged`);
  });

  test('an IPv6 customer is one place, an IPv4 address in IPv6 form is itself', () => {
    assert.equal(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:2:ffff::9'));
    assert.equal(networkOf('2001:db8:1:2::1'), '2001:db8:1:2');
    assert.notEqual(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'));
    assert.equal(networkOf('::1'), '0:0:0:0');
    assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
  });
});

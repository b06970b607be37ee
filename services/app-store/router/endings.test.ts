import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { deadline, sleep, until } from '@haic/kit/deadline.ts';
import type { RawClient } from '@haic/kit/proxy/testing.ts';
import {
  accessTokenOf,
  appUrl,
  asBob,
  csrfOf,
  endpoint,
  mine,
  platform,
  setUp,
  shared,
  signedIn,
  tearDown,
  webSocket,
} from './test-world.ts';
import { Browser } from './testing.ts';

before(setUp);
after(tearDown);

const statusWith = async (token: string, id: string, port = platform.port) => {
  const headers = { authorization: `Bearer ${token}`, accept: '*/*' };
  return (await new Browser(port).fetch(appUrl(id), { cookies: false, headers })).status;
};
const socketWith = async (token: string, id: string) => {
  const socket = webSocket(id, undefined, { Origin: '', Authorization: `Bearer ${token}` });
  await socket.until((text) => text.includes('101'));
  return socket;
};
/** "Within 5 s" is what is promised; here it is when the change was answered. */
const closesWithin = (socket: RawClient) =>
  Promise.race([
    socket.ended(),
    sleep(5_000).then(() => {
      throw new Error('The WebSocket is still open.');
    }),
  ]);
/** Tokens know whole seconds: the next one is younger than any end of now. */
const nextSecond = () => sleep(1_000 - (Date.now() % 1_000) + 20);

describe('bearer tokens of who has ended', () => {
  test('a person who is disabled opens nothing with a token from before, and what is open ends; with a new one, later, again', async () => {
    const { subject } = await platform.addPerson('eve');
    const instanceId = randomUUID();
    await platform.setRoute({ instanceId, owner: subject, ...endpoint() });
    const token = await accessTokenOf('eve');
    assert.equal(await statusWith(token, instanceId), 200);
    const socket = await socketWith(token, instanceId);
    await platform.identity.operator.change('eve', { disabled: true });
    await closesWithin(socket);
    assert.equal(await statusWith(token, instanceId), 401);

    await platform.identity.operator.change('eve', { disabled: false });
    await nextSecond();
    assert.equal(await statusWith(await accessTokenOf('eve'), instanceId), 200);
    assert.equal(await statusWith(token, instanceId), 401, 'the old one stays what it was');
  });

  test('every router hears of it, also one that starts later', async () => {
    const { createRouter } = await import('./router.ts');
    const another = async () => {
      const router = await createRouter({ ...platform.options, listen: [{ host: '127.0.0.1', port: 0 }] });
      const { port } = await router.listen();
      await router.routesReady;
      return { ask: (token: string) => statusWith(token, shared, port), close: () => router.close() };
    };
    await platform.addPerson('mallory');
    const token = await accessTokenOf('mallory');
    const second = await another();
    assert.equal(await second.ask(token), 200);
    await platform.identity.operator.remove('mallory');
    const heard = async () => ((await second.ask(token)) === 401 ? true : undefined);
    await until(heard, { everyMs: 20, signal: deadline(5_000) });
    const third = await another();
    assert.equal(await third.ask(token), 401);
    await second.close();
    await third.close();
  });

  test('a service account that is disabled, removed or whose owner is, opens not even its own instance any more', async () => {
    const root = await platform.addPerson('root', ['admin', 'user']);
    const browser = await signedIn(root, 'root');
    const csrf = await csrfOf(browser);
    const call = async (method: string, path: string, body?: object) => {
      const answer = await browser.fetch(`${platform.publicUrl}/api/v1/service-accounts${path}`, {
        method,
        headers: {
          origin: platform.publicUrl,
          'x-haic-csrf': csrf,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.body}`);
      return answer.body === '' ? undefined : JSON.parse(answer.body);
    };
    for (const [name, end] of [
      ['disabled', () => call('PATCH', '/disabled', { disabled: true })],
      ['removed', () => call('DELETE', '/removed')],
      ['orphaned', () => platform.identity.operator.change('owner-of-orphaned', { disabled: true })],
    ] as const) {
      await platform.addPerson(`owner-of-${name}`);
      const made = await call('POST', '', { name, owner: `owner-of-${name}`, roles: ['user'] });
      const answer = await browser.submit(`${platform.issuer}/protocol/openid-connect/token`, {
        grant_type: 'client_credentials',
        client_id: made.account.clientId,
        client_secret: made.secret,
      });
      const token = (JSON.parse(answer.body) as { access_token: string }).access_token;
      const instanceId = randomUUID();
      await platform.setRoute({ instanceId, owner: made.account.id, ...endpoint() });
      assert.equal(await statusWith(token, instanceId), 200, name);
      const socket = await socketWith(token, instanceId);
      await end();
      await closesWithin(socket);
      assert.equal(await statusWith(token, instanceId), 401, name);
    }
  });

  test('when the keys of the issuer became known, everybody is signed out, and signs in again at once', async () => {
    const browser = await asBob();
    await browser.open(appUrl(shared));
    const withCookie = webSocket(shared, browser);
    await withCookie.until((text) => text.includes('101'));
    const token = await accessTokenOf('ada');
    assert.equal(await statusWith(token, mine), 200);
    const withToken = await socketWith(token, mine);

    await platform.identity.replaceKeys();
    await Promise.all([closesWithin(withCookie), closesWithin(withToken)]);
    assert.equal(await statusWith(token, mine), 401);
    assert.equal(
      (await browser.fetch(`${platform.publicUrl}/session`)).body.includes('"signedIn":false'),
      true,
    );
    assert.equal((await browser.fetch(appUrl(shared), { headers: { accept: '*/*' } })).status, 401);

    // No wait between: who verifies learns of the new key by itself.
    const again = await asBob();
    assert.equal((await again.open(appUrl(shared))).status, 200);
    await nextSecond();
    assert.equal(await statusWith(await accessTokenOf('ada'), mine), 200);
  });
});

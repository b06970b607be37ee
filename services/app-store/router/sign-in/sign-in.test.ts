import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { statusOf } from '@haic/kit/proxy/testing.ts';
import {
  accessTokenOf,
  ada,
  appUrl,
  asAda,
  csrfOf,
  endpoint,
  mine,
  platform,
  seen,
  setUp,
  shared,
  signedIn,
  tearDown,
  webSocket,
} from '../test-world.ts';
import { Browser, startTestApp } from '../testing.ts';

before(setUp);
after(tearDown);

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
      appId: 'an-app',
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

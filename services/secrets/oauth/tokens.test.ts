import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { mountGateway } from '@haic/kit/grpc-gateway/mount.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { createSecrets } from '../secrets.ts';
import { publicUrl, testIdentity, verifyTestToken } from '../testing.ts';
import { startTestOAuth, type TestOAuth } from './testing.ts';

const hour = 3_600_000;

describe('the tokens of a token source', () => {
  let world: TestOAuth;
  let ahead = 0;
  const gone = new Set<string>();
  const now = () => new Date(Date.now() + ahead);
  before(async () => {
    world = await startTestOAuth({ now, isGone: async (subject) => gone.has(subject) });
    for (const id of ['corp', 'short', 'other'])
      await world.makeClient(id, id === 'short' ? { refreshDisabled: true } : {});
  });
  after(() => world?.stop());

  const connected = async (id: string, client = 'corp') => {
    ahead = 0;
    const { loginUri } = await world.makeSource('ada', client, id);
    assert.equal((await world.browser('ada').logIn(loginUri)).status, 303);
    return world.source('ada', client, id);
  };
  const refreshes = async (work: () => Promise<unknown>): Promise<number> => {
    const before = world.corp.requests.filter((url) => url.startsWith('/token')).length;
    await work();
    return world.corp.requests.filter((url) => url.startsWith('/token')).length - before;
  };
  const isGood = async (accessToken: string) =>
    (await fetch(`${world.corp.issuer}/me`, { headers: { authorization: `Bearer ${accessToken}` } }))
      .status === 200;

  it('stay while they are good for a while yet', async () => {
    const first = await connected('stays');
    ahead = hour / 2;
    assert.equal(
      await refreshes(async () => {
        assert.equal((await world.source('ada', 'corp', 'stays')).accessToken, first.accessToken);
      }),
      0,
    );
  });

  it('are renewed before they are over, once for however many ask at once', async () => {
    const first = await connected('renewed');
    ahead = hour - 60_000;
    const seen: string[] = [];
    const count = await refreshes(async () => {
      const all = await Promise.all(Array.from({ length: 12 }, () => world.source('ada', 'corp', 'renewed')));
      seen.push(...all.map(({ accessToken }) => accessToken));
    });
    assert.equal(count, 1, JSON.stringify([world.corp.requests.slice(-8), world.log.slice(-5)]));
    assert.equal(new Set(seen).size, 1);
    assert.notEqual(seen[0], first.accessToken);
    assert.ok(await isGood(seen[0] ?? ''));
    const { expireTime, issueTime } = await world.source('ada', 'corp', 'renewed');
    assert.ok(Date.parse(expireTime ?? '') - Date.parse(issueTime ?? '') === hour);
  });

  it('leave a provider alone for a while after it failed, however many ask, as long as the old ones are good', async () => {
    const first = await connected('resting');
    ahead = hour - 60_000;
    world.corp.down = true;
    const ask = () => world.source('ada', 'corp', 'resting');
    try {
      const count = await refreshes(async () => {
        for (let n = 0; n < 5; n++) assert.equal((await ask()).accessToken, first.accessToken);
      });
      assert.equal(count, 1);
    } finally {
      world.corp.down = false;
    }
    ahead += 11_000;
    assert.equal(
      await refreshes(async () => assert.notEqual((await ask()).accessToken, first.accessToken)),
      1,
    );
  });

  it('are kept although the database fails just when they come: a strict provider gives them once', async () => {
    const first = await connected('kept');
    const { sql } = world.database;
    ahead = hour - 60_000;
    let healed: Promise<unknown> | undefined;
    world.corp.forge = async (idToken) => {
      await sql`alter table secrets.token_sources rename to away`;
      healed = new Promise((resolve) => setTimeout(resolve, 700)).then(
        () => sql`alter table secrets.away rename to token_sources`,
      );
      return idToken;
    };
    const asked = world.source('ada', 'corp', 'kept');
    const renewed = await asked.finally(() => {
      world.corp.forge = undefined;
    });
    await healed;
    assert.notEqual(renewed.accessToken, first.accessToken);
    assert.ok(await isGood(renewed.accessToken));
    ahead += hour;
    assert.equal((await world.source('ada', 'corp', 'kept')).loginRequired, false, 'nor what renews them');
  });

  /** A second process on the same database. */
  const anotherProcess = async () => {
    const { database, keys, workspaces, audit } = world;
    const logger = createLogger('test', 'silent');
    const other = createSecrets({
      ...{ database, keys, workspaces, audit, logger, publicUrl, now, verifyToken: verifyTestToken },
      isGone: async () => false,
      identity: testIdentity,
    });
    const server = createHttpServer({ logger, verifyToken: verifyTestToken });
    await mountGateway(server, { prefix: '', services: other.services, deed: 'use secrets', logger });
    return {
      ask: (id: string) =>
        server.inject({
          url: `/v1/oauthClients%2Fcorp%2FtokenSources%2F${id}`,
          headers: { authorization: 'Bearer ada' },
        }),
      stop: async () => {
        await server.close();
        await other.stop();
      },
    };
  };

  it('are renewed by one of two processes', async () => {
    await connected('two');
    const other = await anotherProcess();
    ahead = hour - 60_000;
    const there = async () => (await other.ask('two')).json().tokenSource.accessToken as string;
    const here = async () => (await world.source('ada', 'corp', 'two')).accessToken;
    const seen: string[] = [];
    assert.equal(
      await refreshes(async () => {
        seen.push(...(await Promise.all([here(), there(), here(), there(), here(), there()])));
      }),
      1,
    );
    assert.equal(new Set(seen).size, 1);
    await other.stop();
  });

  it('are no empty answer in one process because another failed to renew them', async () => {
    await connected('both');
    const other = await anotherProcess();
    ahead = hour + 1000;
    world.corp.down = true;
    const [here, there] = await Promise.all([
      world.call('ada', 'GET', 'oauthClients%2Fcorp%2FtokenSources%2Fboth'),
      other.ask('both'),
    ]).finally(() => {
      world.corp.down = false;
    });
    assert.deepEqual([here.status, there.statusCode], [503, 503]);
    const [again, thereToo] = [await world.source('ada', 'corp', 'both'), await other.ask('both')];
    assert.equal(thereToo.json().tokenSource.accessToken, again.accessToken);
    assert.ok(await isGood(again.accessToken));
    await other.stop();
  });

  it('need a new login when the provider gives no more, and say so: to whose they are, and to the trail', async () => {
    await connected('ended');
    const { sql } = world.database;
    const [first] = await sql<
      { tokens: Buffer }[]
    >`select tokens from secrets.token_sources where id = 'ended'`;
    ahead = hour - 60_000;
    await world.source('ada', 'corp', 'ended');
    // As in a restored backup: a refresh token that was used once, at which the provider ends all that came of it.
    await sql`
      update secrets.token_sources set tokens = ${first?.tokens ?? null}, expires_at = ${now()} where id = 'ended'`;
    const ended = await world.source('ada', 'corp', 'ended');
    assert.deepEqual(
      [ended.loginRequired, ended.accessToken, ended.issueTime, ended.expireTime],
      [true, '', null, null],
    );
    assert.equal(ended.loginPrincipal, 'ada.at.corp', 'who it was is known still');
    await world.source('ada', 'corp', 'ended');
    assert.deepEqual(
      world.audit.actions
        .filter(({ action }) => action.endsWith('/REFRESH'))
        .map(({ principal, resource, status }) => [principal, resource, status?.code, status?.message]),
      [
        [
          ...['users/ada', '//secure-store/oauthClients/corp/tokenSources/ended', 9],
          'login_required: Corp no longer renews this access. Log in there again.',
        ],
      ],
    );
    ahead = 0;
    assert.equal((await world.browser('ada').logIn(ended.loginUri)).status, 303);
    assert.equal((await world.source('ada', 'corp', 'ended')).loginRequired, false);
  });

  it('need a new login when they are over and were not to be refreshed', async () => {
    const first = await connected('brief', 'short');
    assert.ok(await isGood(first.accessToken));
    ahead = hour + 1000;
    const count = await refreshes(async () => {
      const later = await world.source('ada', 'short', 'brief');
      assert.deepEqual([later.loginRequired, later.accessToken], [true, '']);
    });
    assert.equal(count, 0);
  });

  it('are given while they are good although the provider is away, and an error when they are over', async () => {
    const first = await connected('away');
    world.corp.down = true;
    try {
      ahead = hour - 60_000;
      assert.equal((await world.source('ada', 'corp', 'away')).accessToken, first.accessToken);
      ahead = hour + 1000;
      const path = 'oauthClients%2Fcorp%2FtokenSources%2Faway';
      const { status, body } = await world.call('ada', 'GET', path);
      assert.deepEqual([status, body.code], [503, 14]);
      assert.match(body.message, /Corp cannot be reached/);
      const list = await world.call('ada', 'GET', 'oauthClients%2Fcorp/tokenSources');
      const listed = list.body.tokenSources.find(({ name }: { name: string }) => name.endsWith('/away'));
      assert.deepEqual([listed.accessToken, listed.loginRequired], ['', false]);
    } finally {
      world.corp.down = false;
    }
    assert.ok(await isGood((await world.source('ada', 'corp', 'away')).accessToken), 'by itself');
  });

  it('are forgotten by everybody, and revoked, when an administrator invalidates them', async () => {
    const mine = await connected('invalid', 'other');
    const path = 'oauthClients%2Fother:invalidateTokenSources';
    assert.deepEqual((await world.call('admin', 'POST', path)).body, {});
    const after = await world.source('ada', 'other', 'invalid');
    assert.deepEqual([after.loginRequired, after.accessToken], [true, '']);
    await eventually(async () => !(await isGood(mine.accessToken)));
  });

  it('are revoked when their source is deleted', async () => {
    const mine = await connected('deleted');
    const path = 'oauthClients%2Fcorp%2FtokenSources%2Fdeleted';
    assert.deepEqual((await world.call('ada', 'DELETE', path)).body, {});
    assert.equal((await world.call('ada', 'GET', path)).status, 404);
    await eventually(async () => !(await isGood(mine.accessToken)));
  });

  for (const [when, forget] of [
    ['they are removed', (owner: string) => world.secrets.whenPersonEnds(owner)],
    ['that was not heard of, a day later', () => world.secrets.sweep()],
  ] as const)
    it(`are revoked and forgotten when their person is gone for good: ${when}`, async () => {
      const mine = await connected('orphaned');
      const rows = () => world.database.sql<{ owner: string }[]>`
        select owner from secrets.token_sources where id = 'orphaned'`;
      const [{ owner } = { owner: '' }] = await rows();
      await forget(owner);
      assert.equal((await rows()).length, 1, 'who is only disabled may come back');
      gone.add(owner);
      await forget(owner);
      gone.clear();
      assert.equal((await rows()).length, 0);
      await eventually(async () => !(await isGood(mine.accessToken)));
    });

  it('are revoked when their client is deleted, and all is gone', async () => {
    const mine = await connected('with-client', 'short');
    assert.equal((await world.call('admin', 'DELETE', 'oauthClients%2Fshort')).status, 200);
    await eventually(async () => !(await isGood(mine.accessToken)));
    const rows = await world.database.sql`select 1 from secrets.token_sources where id = 'with-client'`;
    assert.equal(rows.length, 0);
  });

  it('leave only when the trail has it who got them', async () => {
    const mine = await connected('unheard');
    world.audit.away = true;
    const paths = ['oauthClients%2Fcorp%2FtokenSources%2Funheard', 'oauthClients%2Fcorp/tokenSources'];
    for (const path of paths) {
      const answer = await world.call('ada', 'GET', path);
      assert.equal(answer.status, 500);
      assert.ok(!answer.text.includes(mine.accessToken));
    }
    world.audit.away = false;
  });
});

describe('asking for tokens without end', () => {
  let world: TestOAuth;
  before(async () => {
    world = await startTestOAuth({ revealRate: { perMinute: 1, burst: 3 } });
    await world.makeClient('corp');
    for (const token of ['ada', 'mallory']) {
      const { loginUri } = await world.makeSource(token, 'corp', 'mine');
      assert.equal((await world.browser(token).logIn(loginUri)).status, 303);
    }
  });
  after(() => world?.stop());

  it('is refused after a while, one by one and by lists together, and holds nobody else up', async () => {
    const one = 'oauthClients%2Fcorp%2FtokenSources%2Fmine';
    const list = 'oauthClients%2Fcorp/tokenSources';
    const seen: number[] = [];
    for (const path of [one, list, one, one, list]) seen.push((await world.call('ada', 'GET', path)).status);
    assert.deepEqual(seen, [200, 200, 200, 429, 429]);
    const { body, text } = await world.call('ada', 'GET', one);
    assert.deepEqual([body.code, /Wait \d+ seconds/.test(body.message)], [8, true], text);
    assert.equal((await world.call('mallory', 'GET', one)).status, 200);
  });
});

async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail('It did not happen within five seconds.');
}

describe('plain OAuth 2.0, without OpenID Connect', () => {
  let world: TestOAuth;
  let server: Server;
  const asked: URLSearchParams[] = [];
  let answer: (body: URLSearchParams) => [number, unknown];
  before(async () => {
    world = await startTestOAuth();
    server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://x');
      if (url.pathname === '/authorize') {
        asked.push(url.searchParams);
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        back.searchParams.set('code', 'the-code');
        back.searchParams.set('state', url.searchParams.get('state') ?? '');
        return void response.writeHead(302, { location: back.href }).end();
      }
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        const form = new URLSearchParams(body);
        asked.push(form);
        const [status, json] = answer(form);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await world.makeClient('plain', {
      ...{ oidcDisabled: true, issuer: at, clientId: 'plain-id', clientSecret: 'plain-secret-0123456789' },
      ...{ authorizationEndpoint: `${at}/authorize`, tokenEndpoint: `${at}/token` },
      extraScopes: ['repo', 'read:user'],
    });
  });
  after(async () => {
    await world?.stop();
    server?.close();
  });

  it('asks for its scopes verbatim, for no ID token, and needs none', async () => {
    const payload = Buffer.from(JSON.stringify({ sub: 'u-1', preferred_username: 'octo' })).toString(
      'base64url',
    );
    answer = () => [200, { access_token: `e30.${payload}.x`, token_type: 'bearer', expires_in: 60 }];
    const source = await world.makeSource('ada', 'plain', 'mine');
    assert.equal((await world.browser('ada').logIn(source.loginUri)).status, 303);
    const [authorization, exchange] = asked;
    assert.equal(authorization?.get('scope'), 'repo read:user');
    assert.equal(authorization?.get('nonce'), null);
    assert.ok(exchange?.get('code_verifier'));
    assert.equal(exchange?.get('client_secret'), 'plain-secret-0123456789');
    const { subject, loginPrincipal, loginRequired } = await world.source('ada', 'plain', 'mine');
    assert.deepEqual([subject, loginPrincipal, loginRequired], ['u-1', 'octo', false]);
  });

  it('takes a token that says nothing and never ends', async () => {
    answer = () => [200, { access_token: 'opaque', token_type: 'bearer' }];
    const source = await world.makeSource('ada', 'plain', 'opaque');
    await world.browser('ada').logIn(source.loginUri);
    const { accessToken, expireTime, loginPrincipal, loginRequired } = await world.source(
      'ada',
      'plain',
      'opaque',
    );
    assert.deepEqual([accessToken, expireTime, loginPrincipal, loginRequired], ['opaque', null, '', false]);
  });

  for (const [what, lie] of [
    ['no token', { token_type: 'bearer' }],
    ['a token of another kind', { access_token: 'x', token_type: 'mac' }],
    ['a token that is no text', { access_token: { a: 1 }, token_type: 'bearer' }],
    ['no JSON object', []],
    ['a time that is none', { access_token: 'x', token_type: 'bearer', expires_in: -5 }],
  ] as const)
    it(`is refused clearly where the provider answers ${what}`, async () => {
      answer = () => [200, lie];
      const source = await world.makeSource('ada', 'plain', '');
      const page = await world.browser('ada').logIn(source.loginUri);
      assert.ok(page.status === 400 || page.status === 503, `${page.status} ${page.text}`);
      assert.match(page.text, /Not connected/);
    });

  it('tells an administrator from a person when the provider refuses Haic itself', async () => {
    answer = () => [401, { error: 'invalid_client' }];
    const source = await world.makeSource('ada', 'plain', '');
    const page = await world.browser('ada').logIn(source.loginUri);
    assert.match(page.text, /refuses Haic as its client \(&quot;invalid_client&quot;\)\. An administrator/);
  });
});

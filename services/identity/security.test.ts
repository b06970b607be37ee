import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import {
  operatorSecret,
  portalSecret,
  routerSecret,
  startTestIdentity,
  type TestIdentity,
} from './test-identity.ts';
import { TestBrowser } from './testing.ts';

const password = 'correct horse battery staple';
const users = '/internal/identity/users';

suite('What the identity service withstands', () => {
  let haic: TestIdentity;
  let redirectUri: string;
  before(async () => {
    haic = await startTestIdentity();
    redirectUri = `${haic.publicUrl}/oauth2/callback`;
    await haic.identity.operator.add({ username: 'ada', roles: ['admin', 'user'], groups: [] }, password);
  });
  after(() => haic.stop());

  const signIn = (client: 'portal' | 'platform' = 'portal') =>
    haic.signIn({
      clientId: wellKnownClients[client],
      ...(client === 'portal' ? { secret: portalSecret } : {}),
      redirectUri: client === 'portal' ? redirectUri : `${haic.publicUrl}/auth/get-platform-token/callback`,
      username: 'ada',
      password,
    });

  async function authorizationUrl(overrides: Record<string, string> = {}): Promise<URL> {
    const config = await haic.clientOf(wellKnownClients.portal, portalSecret);
    return oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'openid',
      state: 's',
      code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
      ...overrides,
    });
  }

  test('a browser is never sent to an address that is not registered', async () => {
    const { host } = new URL(haic.publicUrl);
    for (const bad of [
      '//evil.example',
      'https://evil.example/oauth2/callback',
      '/\\evil.example',
      `${redirectUri}/../../evil`,
      `${redirectUri}?x=1`,
      `${redirectUri}/`,
      `${redirectUri}#f`,
      `http://${host}@evil.example/oauth2/callback`,
      `${redirectUri}%0d%0aLocation:%20https://evil.example`,
      `${haic.publicUrl}/%09/evil.example`,
      redirectUri.replace('http:', 'HTTP:'),
      'javascript:alert(1)',
    ]) {
      const url = await authorizationUrl({ redirect_uri: bad });
      const response = await new TestBrowser().fetch(url.href);
      assert.equal(response.headers.get('location'), null, bad);
      assert.equal(response.status, 400, bad);
      const logout = new URL(`${haic.issuer}/protocol/openid-connect/logout`);
      logout.searchParams.set('client_id', wellKnownClients.portal);
      logout.searchParams.set('post_logout_redirect_uri', bad);
      const out = await new TestBrowser().fetch(logout.href);
      assert.equal(out.headers.get('location'), null, bad);
      assert.equal(out.status, 400, bad);
    }
  });

  test('an error page shows what was sent as text, never as markup', async () => {
    const evil = '<script>alert(1)</script>"\'><img src=x onerror=alert(1)>';
    for (const url of [
      await authorizationUrl({ client_id: evil }),
      await authorizationUrl({ response_type: evil, redirect_uri: evil }),
      await authorizationUrl({ scope: evil, client_id: 'nobody' }),
      new URL(`${haic.issuer}/login/${encodeURIComponent(evil)}`),
      new URL(`${haic.issuer}/device?user_code=${encodeURIComponent(evil)}`),
      await authorizationUrl({ login_hint: evil }),
    ]) {
      const { response } = await new TestBrowser().follow(url.href, () => false);
      const text = (await response?.text()) ?? '';
      assert.doesNotMatch(text, /<script|<img/i, url.href);
      assert.match(response?.headers.get('content-security-policy') ?? '', /default-src 'none'/, url.href);
    }
  });

  test('a lying Host or X-Forwarded-Host appears in no address', async () => {
    const { port } = new URL(haic.publicUrl);
    const url = await authorizationUrl();
    for (const path of [
      '/auth/realms/haic/.well-known/openid-configuration',
      url.pathname + url.search,
      '/auth/realms/haic/device',
      '/auth/realms/haic/protocol/openid-connect/logout',
    ]) {
      const answer = await new Promise<string>((resolve, reject) => {
        const headers = {
          host: 'evil.example',
          'x-forwarded-host': 'evil.example',
          'x-forwarded-proto': 'gopher',
          forwarded: 'host=evil.example',
        };
        httpRequest({ host: 'localhost', port, path, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve(JSON.stringify(response.headers) + Buffer.concat(chunks).toString()),
          );
        })
          .on('error', reject)
          .end();
      });
      assert.doesNotMatch(answer, /evil\.example|gopher/, path);
    }
  });

  test('access tokens that were tampered with are refused', async () => {
    const { tokens } = await signIn();
    const [head = '', body = '', signature = ''] = tokens.access_token.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString());
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const published = await fetch(`${haic.issuer}/protocol/openid-connect/certs`);
    const [key] = ((await published.json()) as { keys: JWK[] }).keys;
    const pem = createPublicKey({ key: { ...key }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const hs = `${encode({ ...header, alg: 'HS256' })}.${body}`;
    const own = await generateKeyPair('RS256', { extractable: true });
    const ownJwk = await exportJWK(own.publicKey);
    const signed = (extra: object, payload: object = claims) =>
      new SignJWT({ ...payload })
        .setProtectedHeader({ ...header, ...extra, alg: 'RS256' })
        .sign(own.privateKey);

    const bad: Record<string, string> = {
      'no signature': `${encode({ ...header, alg: 'none' })}.${body}.`,
      'alg none with a signature': `${encode({ ...header, alg: 'None' })}.${body}.${signature}`,
      'HS256 with the public key': `${hs}.${createHmac('sha256', pem).update(hs).digest('base64url')}`,
      'other claims': `${head}.${encode({ ...claims, sub: 'someone-else' })}.${signature}`,
      'another key': await signed({}),
      'a key in the header': await signed({ jwk: ownJwk }),
      'a key set in the header': await signed({
        jku: 'https://evil.example/jwks',
        x5u: 'https://evil.example/x5u',
      }),
      'an unknown key id': await signed({ kid: 'other' }),
      'the ID token': tokens.id_token ?? '',
    };
    await haic.verifyToken(tokens.access_token);
    for (const [what, token] of Object.entries(bad)) {
      await assert.rejects(haic.verifyToken(token), { status: 401 }, what);
      const info = await fetch(`${haic.issuer}/protocol/openid-connect/userinfo`, {
        headers: { authorization: `Bearer ${token}` },
      });
      assert.equal(info.status, 401, what);
    }
  });

  test('an access token can be asked for no other audience', async () => {
    const response = await new TestBrowser().fetch(
      (await authorizationUrl({ resource: 'https://evil.example' })).href,
    );
    assert.equal(new URL(response.headers.get('location') ?? '').searchParams.get('error'), 'invalid_target');
  });

  test('the operator’s routes refuse everyone but the operator', async () => {
    const { tokens } = await signIn();
    const platform = await signIn('platform');
    const router = await oidc.clientCredentialsGrant(
      await haic.clientOf(wellKnownClients.router, routerSecret),
    );
    await haic.identity.client.registerAppClient({
      instanceId: 'app-1',
      appId: 'an-app',
      redirectUri: 'http://app-1.localhost/_auth/callback',
      postLogoutRedirectUri: 'http://app-1.localhost/',
      name: 'App',
    });
    const subject = platform.tokens.claims()?.sub ?? '';
    const app = await haic.identity.client.mintAppToken({ instanceId: 'app-1', subject });
    const call = (method: string, path: string, token?: string) =>
      fetch(haic.publicUrl + path, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(method === 'GET' || method === 'DELETE' ? {} : { 'content-type': 'application/json' }),
        },
        ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
      });
    for (const [method, path] of [
      ['GET', users],
      ['POST', users],
      ['PATCH', `${users}/ada`],
      ['DELETE', `${users}/ada`],
      ['POST', `${users}/ada/password`],
      ['POST', `${users}/ada/platform-token`],
    ] as const) {
      assert.equal((await call(method, path)).status, 401, `${method} ${path}`);
      for (const token of [
        tokens.access_token,
        platform.tokens.access_token,
        router.access_token,
        app.accessToken,
      ])
        assert.equal((await call(method, path, token)).status, 403, `${method} ${path}`);
    }
    assert.equal((await call('GET', users, await haic.operatorToken())).status, 200);
  });

  test('the operator adds, lists, changes, removes people and makes a platform token', async () => {
    const token = await haic.operatorToken();
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(haic.publicUrl + users + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    };
    const added = await call('POST', '', {
      username: 'Grace',
      roles: ['user'],
      groups: ['navy'],
      name: 'Grace Hopper',
    });
    assert.equal(added.status, 201);
    assert.equal(added.body.user.username, 'grace');
    assert.match(added.body.password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    assert.equal(
      (await call('POST', '', { username: 'grace', roles: [], groups: [] })).body.code,
      'username_taken',
    );
    assert.equal(
      (await call('POST', '', { username: 'a b', roles: [], groups: [] })).body.code,
      'bad_username',
    );
    assert.equal(
      (await call('POST', '', { username: 'x', roles: ['<x>'], groups: [] })).body.code,
      'bad_role',
    );
    const weak = await call('POST', '', { username: 'x', password: 'short', roles: [], groups: [] });
    assert.equal(weak.body.code, 'weak_password');
    assert.equal((await call('POST', '', { username: 'x', roles: [], groups: [], admin: true })).status, 400);

    const changed = await call('PATCH', '/grace', { roles: ['admin', 'user'] });
    assert.deepEqual(changed.body.user.roles, ['admin', 'user']);
    assert.deepEqual(changed.body.user.groups, ['navy']);
    const list = await call('GET', '');
    assert.deepEqual(
      list.body.items.map((user: { username: string }) => user.username),
      ['ada', 'grace'],
    );
    assert.equal(JSON.stringify(list.body).includes('argon2'), false);

    const made = await call('POST', '/grace/platform-token');
    assert.equal(made.body.clientId, wellKnownClients.platform);
    assert.equal(made.body.tokenEndpoint, `${haic.issuer}/protocol/openid-connect/token`);
    const platform = await haic.clientOf(wellKnownClients.platform);
    const fresh = await oidc.refreshTokenGrant(platform, made.body.refreshToken);
    assert.equal((await haic.verifyToken(fresh.access_token)).username, 'grace');

    const reset = await call('POST', '/grace/password', { password: 'chosen by the operator' });
    assert.deepEqual(reset.body, {});
    assert.equal((await call('DELETE', '/grace')).status, 204);
    assert.equal((await call('DELETE', '/grace')).status, 404);
  });

  test('a copy of the database holds no token, session, secret or key in the clear', async () => {
    const { tokens, browser } = await signIn();
    const client = await haic.identity.client.registerAppClient({
      instanceId: 'app-2',
      appId: 'an-app',
      redirectUri: 'http://app-2.localhost/_auth/callback',
      postLogoutRedirectUri: 'http://app-2.localhost/',
      name: 'App',
    });
    const tables = await haic.database.sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'identity'`;
    let dump = '';
    for (const { name } of tables) {
      const rows = await haic.database
        .sql`select row_to_json(t)::text as row from identity.${haic.database.sql(name)} t`;
      for (const { row } of rows)
        dump += row.replace(/\\\\x([0-9a-f]+)/g, (_all: string, hex: string) =>
          Buffer.from(hex, 'hex').toString('latin1'),
        );
    }
    assert.ok(dump.includes('ada') && dump.includes('$argon2id$v=19$m=7168,t=5,p=1$'));
    const secrets = [
      tokens.refresh_token,
      client.clientSecret,
      password,
      portalSecret,
      operatorSecret,
      '"d":',
    ];
    for (const secret of secrets) assert.equal(dump.includes(secret ?? ''), false, secret);
    assert.ok(browser.cookieNames().includes('haic_idp_session'));
  });

  test('cookies are host-only, below /auth, and out of reach of script', async () => {
    const response = await new TestBrowser().fetch((await authorizationUrl()).href);
    const cookies = response.headers.getSetCookie();
    assert.ok(cookies.length > 0);
    for (const cookie of cookies) {
      assert.match(cookie, /^haic_idp_/);
      assert.match(cookie, /path=\/auth/i);
      assert.match(cookie, /httponly/i);
      assert.match(cookie, /samesite=lax/i);
      assert.doesNotMatch(cookie, /domain=/i);
    }
  });

  test('a form of megabytes is refused, and nonsense is no error of ours', async () => {
    const browser = new TestBrowser();
    const { url } = await browser.follow((await authorizationUrl()).href, (at) => at.includes('/login/'));
    const huge = await browser.submit(url, { username: 'ada', password: 'x'.repeat(1_000_000) });
    assert.equal(huge.status, 413);
    const token = `${haic.issuer}/protocol/openid-connect/token`;
    for (const body of [
      '',
      '%%%',
      'grant_type=',
      `grant_type=${'x'.repeat(10_000)}`,
      '\0'.repeat(100),
      'a=b&a=c',
    ]) {
      const response = await fetch(token, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
      assert.ok(
        response.status >= 400 && response.status < 500,
        `${response.status} for ${body.slice(0, 20)}`,
      );
      assert.ok(typeof ((await response.json()) as { error: string }).error === 'string');
    }
    const unknown = await fetch(token, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: wellKnownClients.platform,
        refresh_token: 'unknown',
      }),
    });
    assert.equal(unknown.status, 400);
    assert.equal(((await unknown.json()) as { error: string }).error, 'invalid_grant');
  });

  test('behind TLS every cookie is Secure and every address has the public scheme', async () => {
    const other = await startTestIdentity({ publicUrl: 'https://haic.example' });
    const metadata = await fetch(`${other.listenUrl}/auth/realms/haic/.well-known/openid-configuration`);
    for (const [name, value] of Object.entries((await metadata.json()) as Record<string, unknown>))
      if (name.endsWith('_endpoint') || name.endsWith('_uri'))
        assert.match(String(value), /^https:\/\/haic\.example\/auth\/realms\/haic\//, name);
    const query = new URLSearchParams({
      client_id: wellKnownClients.portal,
      redirect_uri: 'https://haic.example/oauth2/callback',
      response_type: 'code',
      scope: 'openid',
      state: 's',
      code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    });
    const response = await fetch(
      `${other.listenUrl}/auth/realms/haic/protocol/openid-connect/auth?${query}`,
      {
        redirect: 'manual',
      },
    );
    assert.match(
      response.headers.get('location') ?? '',
      /^https:\/\/haic\.example\/auth\/realms\/haic\/login\//,
    );
    for (const cookie of response.headers.getSetCookie()) assert.match(cookie, /; secure/i);
    await other.stop();
  });

  test('failures at the token endpoint are slowed down and refused; who is right is answered as ever', async () => {
    const other = await startTestIdentity({
      tokenEndpointPolicy: { slowAfter: 3, slowMs: 1, refuseAfter: 5 },
    });
    await other.identity.operator.add({ username: 'ada', roles: [], groups: [] }, password);
    const platform = await other.clientOf(wellKnownClients.platform);
    const { refreshToken } = await other.identity.operator.platformToken('ada');
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      const response = await fetch(`${other.issuer}/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          client_id: wellKnownClients.platform,
          refresh_token: `guess ${attempt}`,
        }),
      });
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    assert.deepEqual(statuses, [400, 400, 400, 400, 400, 429, 429, 429]);
    await oidc.refreshTokenGrant(platform, refreshToken);
    await other.stop();
  });
});

import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { decodeJwt } from 'jose';
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

suite('Signing in', () => {
  let haic: TestIdentity;
  before(async () => {
    haic = await startTestIdentity();
    await haic.identity.operator.add(
      {
        username: 'ada',
        name: 'Ada Lovelace',
        email: 'ada@example.org',
        roles: ['admin', 'user'],
        groups: ['research'],
      },
      password,
    );
  });
  after(() => haic.stop());

  const portalSignIn = (browser?: TestBrowser) =>
    haic.signIn({
      clientId: wellKnownClients.portal,
      secret: portalSecret,
      redirectUri: `${haic.publicUrl}/oauth2/callback`,
      username: 'ada',
      password,
      ...(browser === undefined ? {} : { browser }),
    });

  test('the portal gets tokens that name the person, roles and groups', async () => {
    const { tokens } = await portalSignIn();
    const claims = tokens.claims();
    assert.equal(claims?.preferred_username, 'ada');
    assert.equal(claims?.name, 'Ada Lovelace');
    assert.deepEqual(claims?.groups, ['research']);
    assert.ok(typeof claims?.sid === 'string');

    const principal = await haic.verifyToken(tokens.access_token);
    assert.equal(principal.username, 'ada');
    assert.deepEqual(principal.roles, ['admin', 'user']);
    assert.deepEqual(principal.groups, ['research']);
    assert.equal(principal.party, wellKnownClients.portal);
    assert.equal(principal.partyKind, 'portal');
    const access = decodeJwt(tokens.access_token);
    assert.equal(access.aud, 'haic');
    assert.equal(access.azp, wellKnownClients.portal);
    assert.equal(access.client_id, wellKnownClients.portal);
    assert.equal(access.email, 'ada@example.org');
    assert.equal(access.sid, claims?.sid);
    assert.equal(tokens.expires_in, 300);
  });

  test('the published metadata has Keycloak’s layout', async () => {
    const metadata = (await (
      await fetch(`${haic.issuer}/.well-known/openid-configuration`)
    ).json()) as Record<string, string>;
    const base = `${haic.issuer}/protocol/openid-connect`;
    assert.equal(metadata.issuer, haic.issuer);
    assert.equal(metadata.authorization_endpoint, `${base}/auth`);
    assert.equal(metadata.token_endpoint, `${base}/token`);
    assert.equal(metadata.userinfo_endpoint, `${base}/userinfo`);
    assert.equal(metadata.jwks_uri, `${base}/certs`);
    assert.equal(metadata.end_session_endpoint, `${base}/logout`);
    assert.equal(metadata.revocation_endpoint, `${base}/revoke`);
    assert.equal(metadata.introspection_endpoint, `${base}/token/introspect`);
    assert.equal(metadata.device_authorization_endpoint, `${base}/auth/device`);
  });

  test('a second client in the same browser signs in without a page', async () => {
    const { browser } = await portalSignIn();
    const config = await haic.clientOf(wellKnownClients.platform);
    const redirectUri = `${haic.publicUrl}/auth/get-platform-token/callback`;
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'openid offline_access',
      prompt: 'consent',
      state: 'x',
      code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    });
    const { url: end } = await browser.follow(url.href, (at) => at.startsWith(`${redirectUri}?`));
    assert.ok(new URL(end).searchParams.has('code'), end);
  });

  test('a wrong password, an unknown person and a disabled one are told the same', async () => {
    await haic.identity.operator.add({ username: 'gone', roles: ['user'], groups: [] }, password);
    await haic.identity.operator.change('gone', { disabled: true });
    const answers: string[] = [];
    for (const credentials of [
      { username: 'ada', password: 'wrong' },
      { username: 'nobody', password },
      { username: 'gone', password },
      { username: 'ada', password: password.repeat(100) },
    ]) {
      const browser = new TestBrowser({ address: `198.51.100.${answers.length}` });
      const { url } = await browser.follow((await portalRequest(haic)).href, (at) => at.includes('/login/'));
      const response = await browser.submit(url, credentials);
      assert.equal(response.status, 401);
      const text = await response.text();
      answers.push(/role="alert">([^<]*)/.exec(text)?.[1] ?? '');
    }
    assert.deepEqual(new Set(answers), new Set(['The user name or the password is wrong.']));
  });

  test('the portal must use PKCE, and so must public clients', async () => {
    for (const [clientId, redirectUri] of [
      [wellKnownClients.portal, `${haic.publicUrl}/oauth2/callback`],
      [wellKnownClients.cli, `${haic.publicUrl}/auth/get-token/callback`],
    ] as const) {
      const config = await haic.clientOf(clientId);
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'openid',
        state: 's',
      });
      const response = await new TestBrowser().fetch(url.href);
      const location = new URL(response.headers.get('location') ?? '');
      assert.equal(location.searchParams.get('error'), 'invalid_request', clientId);
      assert.match(location.searchParams.get('error_description') ?? '', /PKCE/);
    }
  });

  test('a code is redeemed once, and only with its verifier', async () => {
    const config = await haic.clientOf(wellKnownClients.portal, portalSecret);
    const redirectUri = `${haic.publicUrl}/oauth2/callback`;
    const browser = new TestBrowser();
    const verifier = oidc.randomPKCECodeVerifier();
    const request = await portalRequest(haic, verifier);
    const callback = await browser.signIn(request.href, { username: 'ada', password }, redirectUri);
    const redeem = (pkceCodeVerifier: string) =>
      oidc.authorizationCodeGrant(config, callback, { expectedState: 's', pkceCodeVerifier });
    await assert.rejects(redeem(oidc.randomPKCECodeVerifier()), { error: 'invalid_grant' });
    const results = await Promise.allSettled([redeem(verifier), redeem(verifier), redeem(verifier)]);
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
  });

  test('userinfo accepts the access token and refuses a changed one', async () => {
    const { config, tokens } = await portalSignIn();
    const info = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '');
    assert.equal(info.preferred_username, 'ada');
    assert.deepEqual(info.groups, ['research']);
    const response = await fetch(`${haic.issuer}/protocol/openid-connect/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token.slice(0, -4)}AAAA` },
    });
    assert.equal(response.status, 401);
    assert.match(response.headers.get('www-authenticate') ?? '', /invalid_token/);
  });

  test('a refresh token works for many at once and again and again', async () => {
    const { config, tokens } = await haic.signIn({
      clientId: wellKnownClients.platform,
      redirectUri: `${haic.publicUrl}/auth/get-platform-token/callback`,
      username: 'ada',
      password,
    });
    const refreshToken = tokens.refresh_token ?? '';
    assert.notEqual(refreshToken, '');
    for (let round = 0; round < 2; round++) {
      const all = await Promise.all(
        Array.from({ length: 20 }, () => oidc.refreshTokenGrant(config, refreshToken)),
      );
      for (const one of all) {
        assert.equal((await haic.verifyToken(one.access_token)).party, wellKnownClients.platform);
        assert.ok(one.refresh_token === undefined || one.refresh_token === refreshToken);
      }
    }
  });

  test('services get tokens by client credentials', async () => {
    const config = await haic.clientOf(wellKnownClients.router, routerSecret);
    const tokens = await oidc.clientCredentialsGrant(config);
    const principal = await haic.verifyToken(tokens.access_token);
    assert.equal(principal.subject, wellKnownClients.router);
    assert.equal(principal.party, wellKnownClients.router);
    assert.equal(principal.partyKind, 'service');
    assert.deepEqual(principal.roles, []);
    const wrong = await haic.clientOf(wellKnownClients.router, operatorSecret);
    await assert.rejects(oidc.clientCredentialsGrant(wrong), oidc.WWWAuthenticateChallengeError);
    const portal = await haic.clientOf(wellKnownClients.portal, portalSecret);
    await assert.rejects(oidc.clientCredentialsGrant(portal), { error: 'invalid_request' });
  });

  test('the sign-in form is refused from another site, without an origin and in another browser', async () => {
    const browser = new TestBrowser();
    const { url } = await browser.follow((await portalRequest(haic)).href, (at) => at.includes('/login/'));
    const body = new URLSearchParams({ username: 'ada', password });
    const foreign = await browser.fetch(url, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body,
    });
    assert.equal(foreign.status, 403);
    assert.equal((await browser.fetch(url, { method: 'POST', body })).status, 403);
    const other = await new TestBrowser().submit(url, { username: 'ada', password });
    assert.equal(other.status, 400);
    assert.match(await other.text(), /expired/);
  });

  test('a device signs in with a code that the person compares', async () => {
    const { browser } = await portalSignIn();
    const config = await haic.clientOf(wellKnownClients.cli);
    const started = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' });
    const page = await (await browser.fetch(started.verification_uri_complete ?? '')).text();
    assert.ok(page.includes(`value="${started.user_code}"`));
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const confirm = await browser.submit(started.verification_uri, { xsrf, user_code: started.user_code });
    const confirmPage = await confirm.text();
    assert.match(confirmPage, /Is this your device/);
    const done = await browser.submit(started.verification_uri, {
      xsrf,
      user_code: started.user_code,
      confirm: 'yes',
    });
    assert.match(await done.text(), /Device connected/);
    const tokens = await oidc.pollDeviceAuthorizationGrant(config, { ...started, interval: 0 });
    assert.equal((await haic.verifyToken(tokens.access_token)).username, 'ada');
    assert.ok(tokens.refresh_token);
  });

  test('pages hold no script and allow none', async () => {
    const browser = new TestBrowser();
    const { url } = await browser.follow((await portalRequest(haic)).href, (at) => at.includes('/login/'));
    const response = await browser.fetch(url);
    const text = await response.text();
    assert.doesNotMatch(text, /<script|onclick|onfocus|javascript:/i);
    assert.match(
      response.headers.get('content-security-policy') ?? '',
      /default-src 'none'; style-src 'sha256-/,
    );
    assert.equal(response.headers.get('x-frame-options'), 'DENY');
    assert.equal(response.headers.get('cache-control'), 'no-store');
  });
});

async function portalRequest(haic: TestIdentity, verifier = oidc.randomPKCECodeVerifier()): Promise<URL> {
  const config = await haic.clientOf(wellKnownClients.portal, portalSecret);
  return oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${haic.publicUrl}/oauth2/callback`,
    scope: 'openid profile',
    state: 's',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
}

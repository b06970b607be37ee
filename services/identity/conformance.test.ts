import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { sleep } from '@haic/kit/deadline.ts';
import { decodeJwt, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { portalSecret, startTestIdentity, type TestIdentity } from './test-identity.ts';
import { TestBrowser } from './testing.ts';

const password = 'correct horse battery staple';

/**
 * What an OpenID provider must refuse, under the names of the modules of the OpenID Foundation's conformance suite (Basic OP, RP-Initiated Logout
 * OP), each with the section whose rule it is. `oidcc-server-rotate-keys` is in keys.test.ts; lies told to Haic as a relying party are in
 * brokering/hostile.test.ts. Modules on dynamic registration, implicit and hybrid flows have no object here: Haic offers none of these.
 */
suite('What the issuer refuses, by the published negative cases', () => {
  let haic: TestIdentity;
  let config: oidc.Configuration;
  let redirectUri: string;
  before(async () => {
    haic = await startTestIdentity();
    redirectUri = `${haic.publicUrl}/oauth2/callback`;
    config = await haic.clientOf(wellKnownClients.portal, portalSecret);
    await haic.identity.operator.add({ username: 'ada', roles: ['user'], groups: [] }, password);
  });
  after(() => haic?.stop());

  const verifier = oidc.randomPKCECodeVerifier();
  /** A request that is as it should be but for `changes`; an undefined one leaves a parameter out. */
  const request = async (changes: Record<string, string | undefined> = {}): Promise<string> => {
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'openid profile',
      state: 'the state',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    for (const [name, value] of Object.entries(changes))
      if (value === undefined) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    return url.href;
  };
  const atCallback = (url: string) => url.startsWith(`${redirectUri}?`);
  /** Where the browser is sent back to the client with an error. */
  const sentBack = async (url: string, browser = new TestBrowser()) => {
    const end = await browser.follow(url, atCallback);
    assert.equal(end.response, undefined, `a page is shown: ${end.response?.status}`);
    const answer = new URL(end.url).searchParams;
    assert.equal(answer.get('code'), null);
    assert.equal(answer.get('state'), 'the state');
    return answer.get('error');
  };
  /** An error page: the browser is sent nowhere. */
  const stays = async (url: string, what = url) => {
    const response = await new TestBrowser().fetch(url);
    assert.deepEqual([response.status, response.headers.get('location')], [400, null], what);
  };
  const signedIn = () =>
    haic.signIn({
      clientId: wellKnownClients.portal,
      secret: portalSecret,
      redirectUri,
      username: 'ada',
      password,
    });
  const showsForm = async (browser: TestBrowser, url: string) => {
    const { response } = await browser.follow(url, atCallback);
    return (await response?.text())?.includes('name="password"') === true;
  };

  test('oidcc-response-type-missing (RFC 6749 §3.1.1)', async () => {
    assert.equal(await sentBack(await request({ response_type: undefined })), 'invalid_request');
    for (const other of ['token', 'id_token', 'code id_token', 'none']) {
      // By fragment, as the answers of these would come.
      const response = await new TestBrowser().fetch(await request({ response_type: other }));
      const sentTo = response.headers.get('location') ?? '';
      assert.ok(sentTo.startsWith(redirectUri), `${other}: ${sentTo}`);
      assert.match(sentTo, /[?#&]error=unsupported_response_type(&|$)/, other);
    }
  });

  test('oidcc-idtoken-unsigned (Core §3.1.3.7, Discovery §3): nothing but a signature is offered', async () => {
    const answer = await fetch(`${haic.issuer}/.well-known/openid-configuration`);
    const metadata = (await answer.json()) as Record<string, string[]>;
    for (const name of [
      'id_token_signing_alg_values_supported',
      'request_object_signing_alg_values_supported',
    ])
      assert.equal(metadata[name]?.includes('none') ?? false, false, name);
    assert.deepEqual(metadata.response_types_supported, ['code']);
    assert.deepEqual(metadata.code_challenge_methods_supported, ['S256']);
  });

  test('oidcc-prompt-none-not-logged-in (Core §3.1.2.6)', async () => {
    assert.equal(await sentBack(await request({ prompt: 'none' })), 'login_required');
  });

  test('oidcc-prompt-login (Core §3.1.2.1): who is signed in types the password again', async () => {
    const { browser, tokens } = await signedIn();
    assert.equal(await showsForm(browser, await request()), false);
    assert.equal(await showsForm(browser, await request({ prompt: 'login' })), true);
    assert.ok(tokens.claims()?.sub);
  });

  test('oidcc-max-age-1 (Core §3.1.2.1): an older sign-in does not count, and auth_time says when it was', async () => {
    const { browser } = await signedIn();
    await sleep(2_100);
    const url = await request({ max_age: '1' });
    assert.equal(await showsForm(browser, url), true);
    const before = Math.floor(Date.now() / 1000);
    const callback = await browser.signIn(url, { username: 'ada', password }, redirectUri);
    const tokens = await oidc.authorizationCodeGrant(config, callback, {
      expectedState: 'the state',
      pkceCodeVerifier: verifier,
      maxAge: 1,
    });
    assert.ok(Number(tokens.claims()?.auth_time) >= before);
  });

  test('oidcc-codereuse, oidcc-codereuse-30seconds (RFC 6749 §4.1.2): a code used twice is refused, and what it gave is taken', async () => {
    const browser = new TestBrowser();
    const callback = await browser.signIn(await request(), { username: 'ada', password }, redirectUri);
    const redeem = () =>
      oidc.authorizationCodeGrant(config, callback, {
        expectedState: 'the state',
        pkceCodeVerifier: verifier,
      });
    const tokens = await redeem();
    await assert.rejects(redeem(), { error: 'invalid_grant' });
    // Access tokens are verified without asking the issuer and end within five minutes; nothing new comes of the grant.
    await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token ?? ''), {
      error: 'invalid_grant',
    });
  });

  test('oidcc-ensure-registered-redirect-uri, oidcc-redirect-uri-query-added, -query-mismatch, oidcc-ensure-redirect-uri-in-authorization-request (Core §3.1.2.1)', async () => {
    for (const redirect_uri of [
      `${redirectUri}x`,
      `${redirectUri}?foo=bar`,
      `${redirectUri}#`,
      'https://evil.example/oauth2/callback',
      undefined,
    ])
      await stays(await request({ redirect_uri }), String(redirect_uri));
  });

  test('oidcc-unsigned-request-object-…, oidcc-request-uri-unsigned-…-rejected-as-unsupported (Core §3.1.2.6)', async () => {
    const object = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"state":"x"}').toString('base64url')}.`;
    assert.equal(await sentBack(await request({ request: object })), 'request_not_supported');
    assert.equal(
      await sentBack(await request({ request_uri: 'https://evil.example/request.jwt' })),
      'request_uri_not_supported',
    );
  });

  test('oidcc-refresh-token (RFC 6749 §6): the refresh token of one client is refused at another', async () => {
    const { tokens } = await signedIn();
    const platform = await haic.clientOf(wellKnownClients.platform);
    await assert.rejects(oidc.refreshTokenGrant(platform, tokens.refresh_token ?? ''), {
      error: 'invalid_grant',
    });
    await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
  });

  const logout = (parameters: Record<string, string>) =>
    `${haic.issuer}/protocol/openid-connect/logout?${new URLSearchParams(parameters)}`;
  const isSignedIn = async (browser: TestBrowser) => !(await showsForm(browser, await request()));

  test('oidcc-rp-initiated-logout-bad-id-token-hint, -modified-id-token-hint (RP-Initiated Logout §4)', async () => {
    const { browser, tokens } = await signedIn();
    const [header = '', , signature = ''] = (tokens.id_token ?? '').split('.');
    const claims = decodeJwt(tokens.id_token ?? '');
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody-else' })).toString('base64url');
    const { privateKey } = await generateKeyPair('RS256');
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
    for (const hint of [`${header}.${changed}.${signature}`, forged, 'nonsense']) {
      const response = await browser.fetch(
        logout({ id_token_hint: hint, post_logout_redirect_uri: `${haic.publicUrl}/` }),
      );
      assert.deepEqual([response.status, response.headers.get('location')], [400, null]);
    }
    assert.ok(await isSignedIn(browser));
  });

  test('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri, -query-added-to-post-logout-redirect-uri, -no-id-token-hint (§3)', async () => {
    const { browser, tokens } = await signedIn();
    for (const target of ['https://evil.example/', `${haic.publicUrl}/?foo=bar`, `${haic.publicUrl}/else`]) {
      const parameters = { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: target };
      const response = await browser.fetch(logout(parameters));
      assert.deepEqual([response.status, response.headers.get('location')], [400, null], target);
    }
    // Without a hint nobody says whose address it is.
    const response = await browser.fetch(logout({ post_logout_redirect_uri: `${haic.publicUrl}/` }));
    assert.equal(response.headers.get('location'), null);
    assert.ok(await isSignedIn(browser));
  });

  test('oidcc-rp-initiated-logout-no-params, -only-state (§2): the person is asked, and sent nowhere', async () => {
    for (const parameters of [{}, { state: 'x' }]) {
      const { browser } = await signedIn();
      const url = logout(parameters);
      const asked = await browser.fetch(url);
      assert.deepEqual([asked.status, asked.headers.get('location')], [200, null]);
      assert.ok(await isSignedIn(browser), 'not yet');
      const done = await browser.submit(url, { confirm: 'yes' });
      assert.match(await done.text(), /Signed out/);
      assert.equal(await isSignedIn(browser), false);
    }
  });

  test('oidcc-rp-initiated-logout-no-post-logout-redirect-uri, -no-state (§2): signed out, and sent where was asked', async () => {
    const here = await signedIn();
    const page = await here.browser.fetch(logout({ id_token_hint: here.tokens.id_token ?? '' }));
    assert.deepEqual([page.status, page.headers.get('location')], [200, null]);
    assert.equal(await isSignedIn(here.browser), false);
    const away = await signedIn();
    const back = await away.browser.fetch(
      logout({ id_token_hint: away.tokens.id_token ?? '', post_logout_redirect_uri: `${haic.publicUrl}/` }),
    );
    assert.equal(back.headers.get('location'), `${haic.publicUrl}/`, 'no state that nobody sent');
  });
});

import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { type ActingParty, createHttpSignInStandingClient } from './client.ts';
import { portalSecret, startTestIdentity, type TestIdentity } from './test-identity.ts';
import { TestBrowser } from './testing.ts';

const password = 'correct horse battery staple';
const instanceId = '3f0c7a52-6a58-4c0e-9a39-0f6a9e4d1f10';
const otherInstance = '91d6a0b4-64b4-4d52-8f0c-2ef4c9d8e3aa';
const invalidGrant = { error: 'invalid_grant' };

suite('App clients, and how sessions and tokens end', () => {
  let haic: TestIdentity;
  /** Instances that only their owner may open, and who that is. */
  const privateTo = new Map<string, string>();
  let app: { clientId: string; clientSecret: string };
  const appUrl = (id: string) => `${haic.publicUrl.replace('//', `//${id}.`)}/`;
  const register = (id: string) =>
    haic.identity.client.registerAppClient({
      instanceId: id,
      appId: 'an-app',
      redirectUri: `${appUrl(id)}_auth/callback`,
      postLogoutRedirectUri: appUrl(id),
      name: 'Who am I <app>',
    });

  before(async () => {
    haic = await startTestIdentity({ actsForOwner: async (id, subject) => privateTo.get(id) === subject });
    app = await register(instanceId);
  });
  after(() => haic.stop());

  let people = 0;
  async function newPerson() {
    people += 1;
    const username = `person${people}`;
    const { person } = await haic.identity.operator.add(
      { username, roles: ['user'], groups: ['g'] },
      password,
    );
    return { ...person, browser: new TestBrowser({ address: `192.0.2.${people}` }) };
  }
  type Someone = Awaited<ReturnType<typeof newPerson>>;
  const signInAt = (client: 'portal' | 'platform' | 'cli', who: Someone) =>
    haic.signIn({
      clientId: wellKnownClients[client],
      ...(client === 'portal' ? { secret: portalSecret } : {}),
      redirectUri: `${haic.publicUrl}${
        { portal: '/oauth2', platform: '/auth/get-platform-token', cli: '/auth/get-token' }[client]
      }/callback`,
      username: who.username,
      password,
      browser: who.browser,
    });
  /** As waved does: confidential, no PKCE, openid and profile only. */
  const signInAtApp = (who: Someone) =>
    haic.signIn({
      clientId: app.clientId,
      secret: app.clientSecret,
      redirectUri: `${appUrl(instanceId)}_auth/callback`,
      username: who.username,
      password,
      browser: who.browser,
      pkce: false,
    });
  const refresh = (session: { config: oidc.Configuration; tokens: { refresh_token?: string } }) =>
    oidc.refreshTokenGrant(session.config, session.tokens.refresh_token ?? '');

  test('an app signs in as waved does and gets a refresh token that lasts', async () => {
    const who = await newPerson();
    const session = await signInAtApp(who);
    assert.equal(session.tokens.claims()?.preferred_username, who.username);
    assert.ok(session.tokens.refresh_token);
    const fresh = await Promise.all([refresh(session), refresh(session), refresh(session)]);
    for (const { access_token } of fresh) {
      const principal = await haic.verifyToken(access_token);
      assert.equal(principal.partyKind, 'app');
      assert.equal(principal.instanceId, instanceId);
      assert.equal(principal.subject, who.id);
    }
    // Python libraries send the secret in the form and not by HTTP Basic.
    const response = await fetch(`${haic.issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: app.clientId,
        client_secret: app.clientSecret,
        refresh_token: session.tokens.refresh_token ?? '',
      }),
    });
    assert.equal(response.status, 200);
  });

  test('two tabs that sign in at one app at the same time both get tokens that work', async () => {
    const who = await newPerson();
    await signInAt('portal', who);
    const sessions = await Promise.all([signInAtApp(who), signInAtApp(who), signInAtApp(who)]);
    await Promise.all(sessions.map(refresh));
  });

  test('tabs that sign in at several clients at once keep all of their sessions', async () => {
    const who = await newPerson();
    const portal = await signInAt('portal', who);
    const [atApp, platform] = await Promise.all([
      signInAtApp(who),
      signInAt('platform', who),
      signInAt('cli', who),
    ]);
    for (const session of [portal, atApp, platform]) await refresh(session);
  });

  test('one app’s secret and tokens are worth nothing at another client', async () => {
    const who = await newPerson();
    const other = await register(otherInstance);
    const session = await signInAtApp(who);
    const wrongSecret = await haic.clientOf(app.clientId, other.clientSecret);
    await assert.rejects(oidc.refreshTokenGrant(wrongSecret, session.tokens.refresh_token ?? ''));
    const otherClient = await haic.clientOf(other.clientId, other.clientSecret);
    await assert.rejects(
      oidc.refreshTokenGrant(otherClient, session.tokens.refresh_token ?? ''),
      invalidGrant,
    );
    assert.deepEqual(await oidc.tokenIntrospection(otherClient, session.tokens.refresh_token ?? ''), {
      active: false,
    });
    assert.equal(
      (await oidc.tokenIntrospection(session.config, session.tokens.refresh_token ?? '')).active,
      true,
    );
  });

  test('registering an instance again replaces its secret; removing it ends its tokens', async () => {
    const who = await newPerson();
    const session = await signInAtApp(who);
    const old = app;
    app = await register(instanceId);
    assert.notEqual(app.clientSecret, old.clientSecret);
    await assert.rejects(refresh(session));
    const again = await signInAtApp(who);
    assert.deepEqual(await haic.identity.client.listAppClients(), [instanceId, otherInstance].sort());

    await haic.identity.client.removeAppClient(instanceId);
    await assert.rejects(refresh(again));
    app = await register(instanceId);
    const config = await haic.clientOf(app.clientId, app.clientSecret);
    await assert.rejects(oidc.refreshTokenGrant(config, again.tokens.refresh_token ?? ''), invalidGrant);
  });

  test('the launcher’s token acts for the owner, while the owner may sign in', async () => {
    const who = await newPerson();
    const minted = await haic.identity.client.mintAppToken({ instanceId, subject: who.id });
    assert.equal(minted.expiresIn, 300);
    const principal = await haic.verifyToken(minted.accessToken);
    assert.equal(principal.subject, who.id);
    assert.equal(principal.username, who.username);
    assert.equal(principal.instanceId, instanceId);
    assert.deepEqual(principal.groups, ['g']);
    await haic.identity.operator.change(who.username, { disabled: true });
    await assert.rejects(haic.identity.client.mintAppToken({ instanceId, subject: who.id }), {
      code: 'person_unavailable',
    });
    await assert.rejects(haic.identity.client.mintAppToken({ instanceId: 'none', subject: who.id }), {
      status: 404,
    });
  });

  test('signing out ends the portal’s and the apps’ tokens, not the platform token', async () => {
    const who = await newPerson();
    const portal = await signInAt('portal', who);
    const atApp = await signInAtApp(who);
    const platform = await signInAt('platform', who);
    const cli = await signInAt('cli', who);
    const before = haic.logoutTokens.length;

    const url = oidc.buildEndSessionUrl(portal.config, {
      id_token_hint: portal.tokens.id_token ?? '',
      post_logout_redirect_uri: `${haic.publicUrl}/`,
      state: 'a b&c',
    });
    const response = await who.browser.fetch(url.href);
    assert.equal(response.status, 303);
    const location = new URL(response.headers.get('location') ?? '');
    assert.equal(location.origin + location.pathname, `${haic.publicUrl}/`);
    assert.equal(location.searchParams.get('state'), 'a b&c');

    for (const session of [portal, atApp]) await assert.rejects(refresh(session), invalidGrant);
    for (const session of [platform, cli]) await refresh(session);
    assert.equal(haic.logoutTokens.length, before + 1);
    const claims = await readLogoutToken(haic);
    assert.equal(claims.sub, who.id);
    assert.equal(claims.sid, portal.tokens.claims()?.sid);
    const { response: form } = await who.browser.follow(portal.authorizationUrl.href, () => false);
    assert.match((await form?.text()) ?? '', /name="password"/);
  });

  test('signing out in an app ends the portal’s session too', async () => {
    const who = await newPerson();
    const portal = await signInAt('portal', who);
    const atApp = await signInAtApp(who);
    const url = oidc.buildEndSessionUrl(atApp.config, { id_token_hint: atApp.tokens.id_token ?? '' });
    const response = await who.browser.fetch(url.href);
    assert.match(await response.text(), /Signed out/);
    await assert.rejects(refresh(portal), invalidGrant);
    assert.equal((await readLogoutToken(haic)).sub, who.id);
  });

  test('a sign-out that names no client asks first', async () => {
    const who = await newPerson();
    const portal = await signInAt('portal', who);
    const url = `${haic.issuer}/protocol/openid-connect/logout`;
    const page = await who.browser.fetch(url);
    assert.match(await page.text(), /Sign out\?/);
    await refresh(portal);
    const foreign = await who.browser.fetch(url, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ confirm: 'yes' }),
    });
    assert.equal(foreign.status, 403);
    await refresh(portal);
    assert.match(await (await who.browser.submit(url, { confirm: 'yes' })).text(), /Signed out/);
    await assert.rejects(refresh(portal), invalidGrant);
  });

  test('someone else who signs in in the same browser ends the session that was there', async () => {
    const first = await newPerson();
    const second = { ...(await newPerson()), browser: first.browser };
    const portal = await signInAt('portal', first);
    const config = await haic.clientOf(wellKnownClients.portal, portalSecret);
    const verifier = oidc.randomPKCECodeVerifier();
    const redirectUri = `${haic.publicUrl}/oauth2/callback`;
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'openid',
      prompt: 'login',
      state: 's',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const callback = await first.browser.signIn(
      url.href,
      { username: second.username, password },
      redirectUri,
    );
    const tokens = await oidc.authorizationCodeGrant(config, callback, {
      expectedState: 's',
      pkceCodeVerifier: verifier,
    });
    assert.equal(tokens.claims()?.preferred_username, second.username);
    await assert.rejects(refresh(portal), invalidGrant);
    assert.equal((await readLogoutToken(haic)).sub, first.id);
  });

  for (const [what, end] of [
    ['disabling', (name: string) => haic.identity.operator.change(name, { disabled: true })],
    ['removing', (name: string) => haic.identity.operator.remove(name)],
    ['giving a new password to', (name: string) => haic.identity.operator.resetPassword(name)],
  ] as const) {
    test(`${what} a person ends every session and token of theirs`, async () => {
      const who = await newPerson();
      const bystander = await newPerson();
      const sessions = [
        await signInAt('portal', who),
        await signInAtApp(who),
        await signInAt('platform', who),
        await signInAt('cli', who),
      ];
      const untouched = await signInAt('portal', bystander);
      const operatorMade = await haic.identity.operator.platformToken(who.username);
      const platform = await haic.clientOf(wellKnownClients.platform);
      await oidc.refreshTokenGrant(platform, operatorMade.refreshToken);

      await end(who.username);
      for (const session of sessions) await assert.rejects(refresh(session), invalidGrant);
      await assert.rejects(oidc.refreshTokenGrant(platform, operatorMade.refreshToken), invalidGrant);
      const claims = await readLogoutToken(haic);
      assert.equal(claims.sub, who.id);
      assert.equal(claims.sid, undefined);
      await refresh(untouched);
    });
  }

  test('a platform token can be revoked without ending the others', async () => {
    const who = await newPerson();
    const first = await signInAt('platform', who);
    const second = await signInAt('platform', who);
    await oidc.tokenRevocation(first.config, first.tokens.refresh_token ?? '');
    await assert.rejects(refresh(first), invalidGrant);
    await refresh(second);
  });

  test('what came of a lasting token may act until that token is revoked, by its owner or at the issuer', async () => {
    const who = await newPerson();
    const made = await haic.identity.operator.platformToken(who.username);
    const platform = await haic.clientOf(wellKnownClients.platform);
    const atPlatform = await signInAt('platform', who);
    const atCli = await signInAt('cli', who);
    const ofOperator = { config: platform, tokens: { refresh_token: made.refreshToken } };
    const acting = await Promise.all(
      [atPlatform, atCli, ofOperator].map(async (session): Promise<ActingParty> => {
        const { access_token } = await refresh(session);
        return { ...(await haic.verifyToken(access_token)), signIn: String(decodeJwt(access_token).sid) };
      }),
    );
    const service = createHttpSignInStandingClient({
      ...{ baseUrl: haic.publicUrl, fetch, token: haic.operatorToken },
    });
    const may = (change: Partial<ActingParty> = {}) =>
      Promise.all(acting.map((one) => service.mayStillAct({ ...one, ...change })));
    assert.deepEqual(await may(), [true, true, true]);
    assert.deepEqual(await may({ subject: (await newPerson()).id }), [false, false, false]);
    await oidc.tokenRevocation(platform, atPlatform.tokens.refresh_token ?? '');
    assert.deepEqual(await may(), [false, true, true]);
    const headers = { authorization: `Bearer ${(await refresh(atCli)).access_token}` };
    const tokens = `${haic.publicUrl}/api/v1/me/tokens`;
    const { items } = (await (await fetch(tokens, { headers })).json()) as {
      items: { id: string; kind: string }[];
    };
    const last = items.find(({ kind }) => kind === 'PLATFORM_TOKEN');
    const ended = await fetch(`${tokens}/${last?.id}`, { method: 'DELETE', headers });
    assert.equal(ended.status, 204);
    assert.deepEqual(await may(), [false, true, false]);
  });

  test('what came of the launcher’s token may act while the instance is open to that person alone', async () => {
    const who = await newPerson();
    const { accessToken } = await haic.identity.client.mintAppToken({ instanceId, subject: who.id });
    const service = createHttpSignInStandingClient({
      ...{ baseUrl: haic.publicUrl, fetch, token: haic.operatorToken },
    });
    const acting = { ...(await haic.verifyToken(accessToken)), signIn: String(decodeJwt(accessToken).sid) };
    privateTo.set(instanceId, who.id);
    assert.equal(await service.mayStillAct(acting), true);
    privateTo.delete(instanceId);
    assert.equal(await service.mayStillAct(acting), false, 'others may open it now');
    privateTo.set(instanceId, (await newPerson()).id);
    assert.equal(await service.mayStillAct(acting), false, 'it is somebody else’s now');
    // The same person's own sign-in at the app is another thing.
    const atApp = await signInAtApp(who);
    const { access_token: own } = await refresh(atApp);
    const signedIn = { ...(await haic.verifyToken(own)), signIn: String(decodeJwt(own).sid) };
    assert.equal(await service.mayStillAct(signedIn), true);
  });

  test('a person changes the password: other browsers are signed out, the new password works', async () => {
    const who = await newPerson();
    const here = await signInAt('portal', who);
    const elsewhere = await signInAt('portal', { ...who, browser: new TestBrowser() });
    const platform = await signInAt('platform', who);
    const url = `${haic.issuer}/account`;
    assert.match(await (await who.browser.fetch(url)).text(), new RegExp(who.username));
    const change = (fields: Record<string, string>) => who.browser.submit(url, fields);
    const fresh = 'another good password';

    assert.equal((await change({ current: 'wrong', new: fresh, repeated: fresh })).status, 401);
    assert.equal((await change({ current: password, new: fresh, repeated: 'different' })).status, 400);
    assert.equal((await change({ current: password, new: 'short', repeated: 'short' })).status, 400);
    assert.equal((await change({ current: password, new: password, repeated: password })).status, 400);
    await refresh(elsewhere);
    assert.equal((await change({ current: password, new: fresh, repeated: fresh })).status, 200);
    await refresh(here);
    await refresh(platform);
    await assert.rejects(refresh(elsewhere), invalidGrant);

    const revoking = { current: fresh, new: `${fresh}!`, repeated: `${fresh}!`, revoke: 'yes' };
    assert.equal((await change(revoking)).status, 200);
    await assert.rejects(refresh(platform), invalidGrant);
  });

  test('what is expired is swept, what lives stays', async () => {
    const who = await newPerson();
    const portal = await signInAt('portal', who);
    await haic.database.sql`
      update identity.artifacts set expires_at = now() - interval '1 hour' where model = 'Grant'`;
    const [before] = await haic.database.sql`select count(*)::int as n from identity.artifacts`;
    await haic.identity.sweep();
    const [left] = await haic.database
      .sql`select count(*)::int as n from identity.artifacts where model = 'Grant'`;
    const [all] = await haic.database.sql`select count(*)::int as n from identity.artifacts`;
    assert.equal(left?.n, 0);
    assert.ok(all?.n > 0 && all?.n < before?.n);
    await assert.rejects(refresh(portal), invalidGrant);
  });
});

async function readLogoutToken(haic: TestIdentity) {
  const keys = createRemoteJWKSet(new URL(`${haic.issuer}/protocol/openid-connect/certs`));
  const { payload } = await jwtVerify(haic.logoutTokens.at(-1) ?? '', keys, {
    issuer: haic.issuer,
    audience: wellKnownClients.portal,
    typ: 'logout+jwt',
  });
  assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
  assert.equal(payload.nonce, undefined);
  assert.ok(payload.jti !== undefined && payload.exp !== undefined);
  return payload;
}

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { createTokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { createIdentity } from './identity.ts';
import { portalSecret, startTestIdentity, type TestIdentity } from './test-identity.ts';

const password = 'correct horse battery staple';
const day = 24 * 60 * 60 * 1000;

suite('The issuer’s keys', () => {
  let haic: TestIdentity;
  let now = new Date();
  const masterKey = randomBytes(32);
  before(async () => {
    haic = await startTestIdentity({ clock: () => now, masterKey });
    await haic.identity.operator.add({ username: 'ada', roles: ['user'], groups: [] }, password);
  });
  after(() => haic.stop());

  const signIn = () =>
    haic.signIn({
      clientId: wellKnownClients.portal,
      secret: portalSecret,
      redirectUri: `${haic.publicUrl}/oauth2/callback`,
      username: 'ada',
      password,
    });
  const published = async () => {
    const response = await fetch(`${haic.issuer}/protocol/openid-connect/certs`);
    return ((await response.json()) as { keys: Record<string, unknown>[] }).keys;
  };
  const kidOf = (token: string) => decodeProtectedHeader(token).kid;
  const verifier = () =>
    createTokenVerifier({
      issuer: haic.issuer,
      audience: 'haic',
      jwksUrl: `${haic.issuer}/protocol/openid-connect/certs`,
    });

  test('only public parts are published', async () => {
    for (const key of await published())
      assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  test('oidcc-server-rotate-keys (Core §10.1.1): a rotated key is published before it signs, and the old one after', async () => {
    const session = await signIn();
    const oldKid = kidOf(session.tokens.access_token);
    await haic.identity.rotateKeys();
    assert.equal((await published()).length, 2);
    const during = await oidc.refreshTokenGrant(session.config, session.tokens.refresh_token ?? '');
    assert.equal(kidOf(during.access_token), oldKid);

    now = new Date(now.getTime() + 2 * 60 * 60 * 1000);
    await haic.identity.sweep();
    const later = await oidc.refreshTokenGrant(session.config, session.tokens.refresh_token ?? '');
    assert.notEqual(kidOf(later.access_token), oldKid);
    const verify = verifier();
    await verify(session.tokens.access_token);
    await verify(later.access_token);
    assert.equal((await published()).length, 2);
  });

  test('a key that became known is replaced at once; sessions go on', async () => {
    const session = await signIn();
    await haic.identity.rotateKeys({ aheadMs: 0 });
    const fresh = await oidc.refreshTokenGrant(session.config, session.tokens.refresh_token ?? '');
    assert.notEqual(kidOf(fresh.access_token), kidOf(session.tokens.access_token));
    const verify = verifier();
    await verify(session.tokens.access_token);
    await verify(fresh.access_token);
    const { url } = await session.browser.follow(session.authorizationUrl.href, (at) =>
      at.startsWith(`${haic.publicUrl}/oauth2/callback?`),
    );
    assert.ok(
      new URL(url).searchParams.has('code'),
      'the session’s cookie was signed with the old cookie key',
    );
    const logout = oidc.buildEndSessionUrl(session.config, { id_token_hint: session.tokens.id_token ?? '' });
    assert.equal((await session.browser.fetch(logout.href)).status, 200);
  });

  test('the operator rotates them, and nobody else', async () => {
    const { tokens, config, browser, authorizationUrl } = await signIn();
    const before = await published();
    const rotate = (token: string | undefined) =>
      fetch(`${haic.publicUrl}/internal/identity/keys`, {
        method: 'POST',
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
    assert.equal((await rotate(undefined)).status, 401);
    assert.equal((await rotate(tokens.access_token)).status, 403);
    assert.equal((await published()).length, before.length);

    const made = (await (await rotate(await haic.operatorToken())).json()) as {
      keyId: string;
      signsFrom: string;
    };
    assert.ok((await published()).some(({ kid }) => kid === made.keyId));
    const refresh = () => oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
    assert.notEqual(kidOf((await refresh()).access_token), made.keyId, 'it does not sign yet');
    now = new Date(Date.parse(made.signsFrom) + 1000);
    await haic.identity.sweep();
    assert.equal(kidOf((await refresh()).access_token), made.keyId);
    const again = await browser.follow(authorizationUrl.href, (url) => url.includes('/oauth2/callback?'));
    assert.equal(again.response, undefined, 'the session’s cookie was signed with the old cookie key');
    await verifier()(tokens.access_token);
  });

  test('keys that became known are dropped: what they signed is refused at once, and people sign in anew straight away', async () => {
    const { tokens, config, browser, authorizationUrl } = await signIn();
    const platform = await haic.clientOf(wellKnownClients.platform);
    const { refreshToken } = await haic.identity.operator.platformToken('ada');
    const script = await oidc.refreshTokenGrant(platform, refreshToken);
    // Another process of the same issuer.
    const replica = await createIdentity({ ...haic.options, masterKey });
    const before = haic.logoutTokens.length;

    const { keyId } = await haic.identity.replaceKeys();
    assert.deepEqual(
      (await published()).map(({ kid }) => kid),
      [keyId],
    );
    for (const { access_token } of [tokens, script])
      await assert.rejects(verifier()(access_token), { status: 401 });
    await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token ?? ''), {
      error: 'invalid_grant',
    });
    // Neither the session nor its cookie is good for anything.
    const { response } = await browser.follow(authorizationUrl.href, () => false);
    assert.match((await response?.text()) ?? '', /name="password"/);

    const again = await signIn();
    assert.equal(kidOf(again.tokens.access_token), keyId);
    await verifier()(again.tokens.access_token);
    const fresh = await oidc.refreshTokenGrant(platform, refreshToken);
    assert.equal(kidOf(fresh.access_token), keyId, 'a platform token goes on');

    assert.equal(haic.logoutTokens.length, before + 1);
    const keys = createRemoteJWKSet(new URL(`${haic.issuer}/protocol/openid-connect/certs`));
    const { payload, protectedHeader } = await jwtVerify(haic.logoutTokens.at(-1) ?? '', keys, {
      issuer: haic.issuer,
      audience: wellKnownClients.portal,
      typ: 'logout+jwt',
    });
    assert.deepEqual(
      [protectedHeader.kid, payload.sub, payload.sid, payload.events],
      [keyId, undefined, undefined, { 'urn:haic:event:everybody-signed-out': {} }],
    );
    const minted = async () => {
      const { person } = await haic.identity.operator.add(
        { username: 'eve', roles: [], groups: [] },
        password,
      );
      const at = { instanceId: 'keys', redirectUri: 'http://k.localhost/', name: 'Keys' };
      await replica.client.registerAppClient({
        ...{ ...at, appId: 'an-app', postLogoutRedirectUri: at.redirectUri },
      });
      const { accessToken } = await replica.client.mintAppToken({ instanceId: 'keys', subject: person.id });
      return kidOf(accessToken);
    };
    assert.equal(await minted(), keyId, 'the other process signs with the new key, too');
    await replica.stop();
  });

  test('keys are rotated by age, and forgotten when nothing valid is signed with them', async () => {
    const before = (await published()).map((key) => key.kid);
    now = new Date(now.getTime() + 91 * day);
    await haic.identity.sweep();
    const aged = (await published()).map((key) => key.kid);
    assert.equal(aged.filter((kid) => !before.includes(kid)).length, 1);
    now = new Date(now.getTime() + 31 * day);
    await haic.identity.sweep();
    assert.deepEqual(
      (await published()).map((key) => key.kid),
      aged.filter((kid) => !before.includes(kid)),
    );
  });

  test('keys survive a restart; another master key cannot open them', async () => {
    const { tokens } = await signIn();
    const again = await createIdentity({ ...haic.options, masterKey });
    const minted = await again.operator.platformToken('ada');
    assert.ok(minted.refreshToken);
    await again.stop();
    assert.ok((await published()).some((key) => key.kid === kidOf(tokens.access_token)));
    await assert.rejects(createIdentity({ ...haic.options, masterKey: randomBytes(32) }), /authenticate/);
  });
});

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, afterEach, before, suite, test } from 'node:test';
import { sleep } from '@haic/kit/deadline.ts';
import { decodeJwt, generateKeyPair, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';
import { TestBrowser } from '../testing.ts';
import { foreignClient, newSigningKey } from './foreign-provider.ts';
import { password, startTestBrokering, type TestBrokering } from './test-brokering.ts';

/**
 * Names that begin with `oidcc-client-test-` are those of the modules of the OpenID Foundation's conformance suite for relying parties, each with the
 * section whose rule it is. Of its basic and configuration profiles all negative modules are here; those on `at_hash` and `c_hash` are for
 * flows other than that by code.
 */
suite('A provider that lies', () => {
  let haic: TestBrokering;
  before(async () => {
    haic = await startTestBrokering();
  });
  after(() => haic?.stop());
  afterEach(() => {
    haic.corp.forge = undefined;
    haic.corp.tamper = undefined;
  });

  let people = 0;
  const somebody = () => {
    people += 1;
    return { sub: `h-${people}`, preferred_username: `hostile${people}`, groups: [] };
  };
  const signed = async (
    claims: JWTPayload,
    key: JWK = haic.corp.signingKey,
    header: { kid?: string } = { kid: 'first' },
  ) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'RS256', ...header }).sign(await importJWK(key, 'RS256'));
  /** What the provider's ID token says, changed and signed again by its own key. */
  const withClaims = (change: (claims: JWTPayload) => JWTPayload) => (idToken: string) =>
    signed(change(decodeJwt(idToken)));
  const without = (name: string) =>
    withClaims((claims) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name)));
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  /** Nobody is let in, nobody is made, and the page says what happened and leads back. */
  async function refused(lie: string): Promise<void> {
    haic.corp.person = somebody();
    const arrived = await haic.come('corp');
    assert.equal(arrived.status, 400, `${lie}: ${arrived.end} ${arrived.markup.slice(-600)}`);
    assert.match(arrived.markup, /Not signed in with Corp &amp; Sons/, lie);
    assert.match(arrived.markup, /Back to the sign-in page/, lie);
    await assert.rejects(
      haic.identity.operator.get(haic.corp.person.preferred_username as string),
      { code: 'not_found' },
      lie,
    );
  }
  async function letIn(): Promise<void> {
    haic.corp.person = somebody();
    const { principal } = await haic.signInWith('corp');
    assert.equal(principal.username, haic.corp.person.preferred_username);
  }

  test('the same provider is believed as long as it says what is true', async () => {
    haic.corp.forge = withClaims((claims) => claims);
    await letIn();
  });

  test('oidcc-client-test-invalid-iss (Core §3.1.3.7, 2): an ID token of another issuer is refused', async () => {
    for (const iss of ['https://evil.example', `${haic.corp.issuer}/`, haic.other.issuer, '']) {
      haic.corp.forge = withClaims((claims) => ({ ...claims, iss }));
      await refused(iss);
    }
  });

  test('oidcc-client-test-invalid-aud (Core §3.1.3.7, 3): an ID token for another client is refused', async () => {
    for (const aud of ['somebody-else', ['somebody-else'], '']) {
      haic.corp.forge = withClaims((claims) => ({ ...claims, aud }));
      await refused(String(aud));
    }
  });

  for (const name of ['aud', 'sub', 'iat'])
    test(`oidcc-client-test-missing-${name} (Core §2): an ID token without ${name} is refused`, async () => {
      haic.corp.forge = without(name);
      await refused(name);
    });

  test('an ID token without iss or exp is refused (Core §2)', async () => {
    for (const name of ['iss', 'exp']) {
      haic.corp.forge = without(name);
      await refused(name);
    }
  });

  test('an ID token that was issued to another party is refused, with one audience and with several (Core §3.1.3.7, 4 and 5)', async () => {
    haic.corp.forge = withClaims((claims) => ({ ...claims, azp: 'somebody-else' }));
    await refused('azp');
    haic.corp.forge = withClaims((claims) => ({ ...claims, aud: [foreignClient.id, 'x'], azp: 'x' }));
    await refused('two audiences, azp');
    haic.corp.forge = withClaims((claims) => ({ ...claims, aud: [foreignClient.id, 'x'] }));
    await refused('two audiences');
  });

  test('oidcc-client-test-nonce-invalid (Core §3.1.3.7, 11): an ID token of another sign-in is refused', async () => {
    haic.corp.forge = withClaims((claims) => ({ ...claims, nonce: 'of another sign-in' }));
    await refused('nonce');
    haic.corp.forge = without('nonce');
    await refused('no nonce');
  });

  test('an ID token whose time is over is refused, and one that is not valid yet (Core §3.1.3.7, 9 and 10)', async () => {
    const now = Math.floor(Date.now() / 1000);
    haic.corp.forge = withClaims((claims) => ({ ...claims, iat: now - 7200, exp: now - 3600 }));
    await refused('exp');
    haic.corp.forge = withClaims((claims) => ({ ...claims, nbf: now + 3600 }));
    await refused('nbf');
  });

  test('oidcc-client-test-idtoken-sig-none (Core §3.1.3.7, 6 and 7): an ID token without a signature is refused, also by code, where a client may agree to one', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      haic.corp.forge = (idToken) => `${encode({ alg })}.${idToken.split('.')[1]}.`;
      await refused(alg);
    }
  });

  test('oidcc-client-test-invalid-sig-rs256 (Core §3.1.3.7, 6): a changed ID token, or one by another key, is refused', async () => {
    haic.corp.forge = (idToken) => {
      const [header, , signature] = idToken.split('.');
      return `${header}.${encode({ ...decodeJwt(idToken), sub: 'boss' })}.${signature}`;
    };
    await refused('changed');
    const other = await newSigningKey('first');
    haic.corp.forge = (idToken) => signed(decodeJwt(idToken), other);
    await refused('another key of the same kid');
  });

  test('oidcc-client-test-invalid-sig-hs256 (Core §3.1.3.7, 6 to 8): an ID token by HMAC is refused, even with the client’s own secret', async () => {
    haic.corp.forge = (idToken) => {
      const content = `${encode({ alg: 'HS256', kid: 'first' })}.${idToken.split('.')[1]}`;
      return `${content}.${createHmac('sha256', foreignClient.secret).update(content).digest('base64url')}`;
    };
    await refused('HS256');
  });

  test('an ID token by a key that the provider does not publish is refused, whatever its header offers', async () => {
    const own = await newSigningKey('unknown');
    const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...jwk } = own;
    for (const extra of [
      {},
      { jwk },
      { jku: 'https://evil.example/keys' },
      { x5u: 'https://evil.example/x' },
    ]) {
      haic.corp.forge = (idToken) => signed(decodeJwt(idToken), own, { kid: 'unknown', ...extra });
      await refused(Object.keys(extra).join());
    }
  });

  test('oidcc-client-test-kid-absent-single-jwks (Core §10.1): without a kid the only key is taken', async () => {
    haic.corp.forge = (idToken) => signed(decodeJwt(idToken), haic.corp.signingKey, {});
    await letIn();
  });

  test('oidcc-client-test-signing-key-rotation, -rotation-just-before-signing (Core §10.1.1): a new key is taken at once', async () => {
    await letIn();
    try {
      for (const kid of ['second', 'third']) {
        // A made-up kid is asked for as well, but not twice in a second.
        await sleep(1_000);
        const next = await newSigningKey(kid);
        haic.corp.forge = (idToken) => {
          haic.corp.publish([next]);
          return signed(decodeJwt(idToken), next, { kid });
        };
        await letIn();
      }
    } finally {
      haic.corp.publish([]);
    }
  });

  test('oidcc-client-test-kid-absent-multiple-jwks (Core §10.1): of two keys none is guessed', async () => {
    const both = await startTestBrokering();
    try {
      const next = await newSigningKey('second');
      both.corp.publish([next]);
      both.corp.forge = (idToken) => signed(decodeJwt(idToken), next, {});
      both.corp.person = somebody();
      assert.equal((await both.come('corp')).status, 400);
    } finally {
      await both.stop();
    }
  });

  test('oidcc-client-test-ignores-unparseable-key-in-jwks (RFC 7517 §5): keys of an unknown kind do not stand in the way', async () => {
    const future = await startTestBrokering();
    try {
      future.corp.publish([
        { kty: 'AKP', kid: 'post-quantum', alg: 'ML-DSA-999', pub: 'AAAA' },
        { kty: 'made-up', kid: 'made-up' },
      ]);
      future.corp.person = somebody();
      await future.signInWith('corp');
    } finally {
      await future.stop();
    }
  });

  test('oidcc-client-test-invalid-sig-es256 (Core §3.1.3.7, 6): a key of another kind under a published kid is refused', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    haic.corp.forge = (idToken) =>
      new SignJWT(decodeJwt(idToken)).setProtectedHeader({ alg: 'ES256', kid: 'first' }).sign(privateKey);
    await refused('ES256');
  });

  test('oidcc-client-test-userinfo-invalid-sub (Core §5.3.2): what it says of another person is refused', async () => {
    haic.corp.tamper = (path, json) => {
      if (path === '/me') json.sub = 'somebody-else';
    };
    await refused('sub');
  });

  test('oidcc-client-test-discovery-issuer-mismatch (Discovery §4.3): a provider that calls itself another is refused', async () => {
    const impostor = await startTestBrokering();
    try {
      impostor.corp.tamper = (path, json) => {
        if (path.endsWith('openid-configuration')) json.issuer = 'https://evil.example';
      };
      impostor.corp.person = somebody();
      const arrived = await impostor.come('corp');
      assert.equal(arrived.status, 400);
      assert.equal(impostor.corp.requests.filter((url) => url.startsWith('/auth')).length, 0);
    } finally {
      await impostor.stop();
    }
  });

  test('an answer of the authorization endpoint in another provider’s name is refused (RFC 9207)', async () => {
    for (const iss of [haic.other.issuer, undefined]) {
      haic.corp.person = somebody();
      const browser = new TestBrowser();
      const { button } = await haic.toButton(browser, 'corp');
      const back = new URL((await toEndpoint(browser, button)).url);
      if (iss === undefined) back.searchParams.delete('iss');
      else back.searchParams.set('iss', iss);
      assert.equal((await browser.fetch(back.href)).status, 400);
    }
  });

  const toEndpoint = (browser: TestBrowser, button: string, alias: 'corp' | 'other' = 'corp') =>
    browser.follow(button, (url) => url.startsWith(`${haic.endpointOf(alias)}?`));
  const atArrival = (response: Response) => response.headers.get('location')?.endsWith('/arrival') === true;

  test('the answer for one browser is worth nothing in another, and nothing twice', async () => {
    haic.corp.person = somebody();
    const browser = new TestBrowser();
    const { button } = await haic.toButton(browser, 'corp');
    const { url } = await toEndpoint(browser, button);

    const thief = new TestBrowser();
    assert.equal((await thief.fetch(url)).status, 400);
    // Also for one that is on the same way itself, by its own state and cookie.
    const own = await haic.toButton(thief, 'corp');
    const ownBack = new URL((await toEndpoint(thief, own.button)).url);
    assert.equal((await thief.fetch(url)).status, 400);
    const mixed = new URL(url);
    mixed.searchParams.set('state', ownBack.searchParams.get('state') ?? '');
    const swapped = await thief.fetch(mixed.href);
    assert.equal(swapped.status, 400);
    assert.equal(atArrival(swapped), false);

    const cookies = browser.cookieHeader(url);
    const first = await browser.fetch(url);
    assert.ok(atArrival(first), `${first.status}`);
    // The cookie is taken away; who kept it gains nothing.
    assert.equal((await browser.fetch(url)).status, 400);
    assert.equal((await fetch(url, { headers: { cookie: cookies }, redirect: 'manual' })).status, 400);
  });

  test('an answer without a state, or with two, is refused', async () => {
    haic.corp.person = somebody();
    for (const change of [
      (url: URL) => url.searchParams.delete('state'),
      (url: URL) => url.searchParams.append('state', 'x'),
      (url: URL) => url.searchParams.append('code', 'x'),
      (url: URL) => url.searchParams.set('state', '%00'),
      (url: URL) => url.searchParams.delete('code'),
    ]) {
      const browser = new TestBrowser();
      const { button } = await haic.toButton(browser, 'corp');
      const back = new URL((await toEndpoint(browser, button)).url);
      change(back);
      const response = await browser.fetch(back.href);
      assert.equal(response.status, 400, back.search);
      assert.equal(response.headers.get('location'), null);
    }
  });

  test('the answer of one provider is refused at the address of another', async () => {
    haic.corp.person = somebody();
    const browser = new TestBrowser();
    const { button } = await haic.toButton(browser, 'corp');
    const { url } = await toEndpoint(browser, button);
    const elsewhere = url.replace('/broker/corp/', '/broker/other/');
    assert.equal((await browser.fetch(elsewhere)).status, 400);
    assert.equal((await browser.fetch(url.replace('/broker/corp/', '/broker/nobody/'))).status, 400);
  });

  test('who came back is let in only at the sign-in that the same browser began', async () => {
    haic.corp.person = somebody();
    const browser = new TestBrowser();
    const { button } = await haic.toButton(browser, 'corp');
    const { url } = await toEndpoint(browser, button);
    const arrival = new URL((await browser.fetch(url)).headers.get('location') ?? '', url).href;
    const other = new TestBrowser();
    assert.equal((await other.fetch(arrival)).status, 400);
    // A victim sent to the button of an attacker's sign-in ends there: it is not the victim's browser that began it.
    const victim = new TestBrowser();
    const attacker = await haic.toButton(new TestBrowser(), 'corp');
    const lured = await victim.follow(attacker.button, haic.atCallback);
    assert.equal(lured.response?.status, 400);
    assert.match((await lured.response?.text()) ?? '', /This sign-in has expired/);
  });

  test('a form of another site links nothing', async () => {
    await haic.identity.operator.add({ username: 'victim', roles: ['user'], groups: [] }, password);
    haic.corp.person = { sub: 'h-victim', preferred_username: 'victim', groups: [] };
    const arrived = await haic.come('corp');
    const response = await arrived.browser.fetch(arrived.end, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ choice: 'mine', username: 'victim', password }),
    });
    assert.equal(response.status, 403);
    assert.match((await haic.come('corp')).markup, /Is this your account\?/);
  });

  test('a provider that claims somebody’s name or e-mail address does not get the account', async () => {
    const { person } = await haic.identity.operator.add(
      { username: 'boss', name: 'The Boss', email: 'boss@haic.example', roles: ['admin'], groups: ['board'] },
      password,
    );
    for (const claims of [
      { preferred_username: 'boss' },
      { preferred_username: ' BOSS ' },
      { preferred_username: 'innocent', email: 'boss@haic.example', email_verified: true },
      { preferred_username: 'innocent', email: 'BOSS@haic.example', email_verified: true },
      { preferred_username: 'boss', sub: person.id, email: 'boss@haic.example', email_verified: true },
    ]) {
      haic.corp.person = { sub: 'h-thief', groups: [], ...claims };
      const arrived = await haic.come('corp');
      assert.equal(arrived.status, 200, JSON.stringify(claims));
      assert.match(arrived.markup, /Is this your account\?/);
      // Whose the address is, the provider does not learn.
      if (claims.preferred_username === 'innocent') assert.doesNotMatch(arrived.markup, /boss/i);
      for (const guess of ['', 'boss', 'wrong'])
        assert.equal(
          (await haic.prove(arrived, { choice: 'mine', username: 'boss', password: guess })).principal,
          undefined,
        );
    }
    const after = await haic.identity.operator.get('boss');
    assert.deepEqual([after.name, after.roles, after.groups], ['The Boss', ['admin'], ['board']]);
  });

  test('guesses on the linking page are slowed down like those on the sign-in page', async () => {
    await haic.identity.operator.add({ username: 'target', roles: [], groups: [] }, password);
    haic.corp.person = { sub: 'h-guesser', preferred_username: 'target', groups: [] };
    const arrived = await haic.come('corp', new TestBrowser({ address: '192.0.2.77' }));
    let last = 0;
    for (let guess = 0; guess < 30 && last !== 429; guess += 1)
      last = (await haic.prove(arrived, { choice: 'mine', username: 'target', password: `guess ${guess}` }))
        .status;
    assert.equal(last, 429);
  });

  test('a person of one provider is nobody at another that uses the same id', async () => {
    haic.corp.person = { sub: 'same', preferred_username: 'shared', groups: [] };
    await haic.signInWith('corp');
    haic.other.person = { sub: 'same', preferred_username: 'somebody-quite-else' };
    assert.equal((await haic.come('other')).status, 403);
  });
});

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { newSigningKey } from '@haic/services/identity/brokering/foreign-provider.ts';
import { decodeJwt, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';
import { publicUrl } from '../testing.ts';
import { foreignClient, startTestOAuth, type TestOAuth } from './testing.ts';

describe('connecting an account at another provider', () => {
  let world: TestOAuth;
  let ahead = 0;
  let made = 0;
  before(async () => {
    world = await startTestOAuth({ now: () => new Date(Date.now() + ahead) });
    assert.equal((await world.makeClient('corp')).status, 200);
  });
  after(() => world?.stop());
  const newSource = (token = 'ada', redirectUri?: string) => {
    made += 1;
    return world.makeSource(token, 'corp', `s${made}`, redirectUri);
  };
  const idOf = ({ name }: { name: string }) => name.split('/').at(-1) ?? '';

  it('begins with a token source that has every field as the contract wants it', async () => {
    const path = 'oauthClients%2Fcorp/tokenSources?tokenSourceId=whole';
    const { body } = await world.call('ada', 'POST', path, { redirectUri: `${publicUrl}/apps` });
    const { loginUri, createTime, uid, ...source } = body.tokenSource;
    assert.ok(loginUri.length > 60 && Date.parse(createTime) > 0 && /^[0-9a-f-]{36}$/.test(uid));
    assert.deepEqual(source, {
      ...{ name: 'oauthClients/corp/tokenSources/whole', redirectUri: `${publicUrl}/apps` },
      ...{ loginRequired: true, accessToken: '', issueTime: null, expireTime: null, loginTime: null },
      ...{ subject: '', loginPrincipal: '', creator: 'users/ada' },
    });
    assert.deepEqual((await world.call('ada', 'GET', path.replace('?tokenSourceId=', '/'))).body, body);
  });

  it('takes the browser there and back, and then there is a token that the provider takes', async () => {
    const source = await newSource();
    assert.equal(source.loginRequired, true);
    assert.deepEqual(
      [source.accessToken, source.issueTime, source.expireTime, source.loginTime, source.subject],
      ['', null, null, null, ''],
    );
    assert.match(source.loginUri, /^http:\/\/localhost:1\/api\/connections\/login\/[\w-]{43}$/);
    const page = await world.browser('ada').logIn(source.loginUri);
    assert.deepEqual([page.status, page.location], [303, `${publicUrl}/apps`]);
    assert.equal(page.headers['referrer-policy'], 'no-referrer');

    const connected = await world.source('ada', 'corp', idOf(source));
    assert.deepEqual(
      [connected.loginRequired, connected.subject, connected.loginPrincipal],
      [false, 'c-1', 'ada.at.corp'],
    );
    assert.ok(connected.issueTime !== null && connected.expireTime !== null && connected.loginTime !== null);
    // The userinfo endpoint is a resource that the provider guards.
    const guarded = await fetch(`${world.corp.issuer}/me`, {
      headers: { authorization: `Bearer ${connected.accessToken}` },
    });
    assert.equal(((await guarded.json()) as { sub: string }).sub, 'c-1');
  });

  it('asks with state, nonce and PKCE, for what the client says, and for lasting access with consent', async () => {
    await world.makeClient('short', { extraScopes: ['email', 'email'], refreshDisabled: true });
    const asked = async (client: string) => {
      made += 1;
      const { loginUri } = await world.makeSource('ada', client, `s${made}`);
      return new URL((await world.browser('ada').at(loginUri)).location).searchParams;
    };
    const usual = await asked('corp');
    assert.equal(usual.get('scope'), 'openid profile offline_access');
    assert.equal(usual.get('prompt'), 'consent');
    assert.equal(usual.get('code_challenge_method'), 'S256');
    assert.equal(usual.get('redirect_uri'), `${publicUrl}/api/connections/corp/callback`);
    for (const name of ['state', 'nonce', 'code_challenge'])
      assert.ok((usual.get(name) ?? '').length >= 43, name);
    assert.notEqual(usual.get('state'), (await asked('corp')).get('state'));
    const short = await asked('short');
    assert.deepEqual([short.get('scope'), short.get('prompt')], ['openid profile email', null]);
  });

  it('says who logged in by the claim that the client names', async () => {
    await world.makeClient('other', { loginPrincipalClaim: 'email' });
    const { loginUri } = await world.makeSource('ada', 'other', 'mine');
    const { location } = await world.browser('ada').at(loginUri);
    assert.equal(new URL(location).searchParams.get('scope'), 'openid email offline_access');
    assert.equal((await world.browser('ada').logIn(loginUri)).status, 303);
    assert.equal((await world.source('ada', 'other', 'mine')).loginPrincipal, 'ada@corp.example');
    await world.call('admin', 'DELETE', 'oauthClients%2Fother');
  });

  it('goes where the client says, whatever the issuer says', async () => {
    const elsewhere = 'https://login.corp.example/authorize';
    await world.makeClient('plain', { authorizationEndpoint: elsewhere });
    const { loginUri } = await world.makeSource('ada', 'plain', 'mine');
    const { origin, pathname } = new URL((await world.browser('ada').at(loginUri)).location);
    assert.equal(`${origin}${pathname}`, elsewhere);
    // The issuer’s own would give a token.
    await world.makeClient('other', { tokenEndpoint: 'http://127.0.0.1:1/token' });
    const there = await world.makeSource('ada', 'other', 'mine');
    assert.equal((await world.browser('ada').logIn(there.loginUri)).status, 503);
  });

  it('sends who is not signed in to sign in, and then on', async () => {
    const { loginUri } = await newSource();
    const page = await world.browser('').at(loginUri);
    const next = encodeURIComponent(loginUri.replace(publicUrl, ''));
    assert.deepEqual([page.status, page.location], [303, `${publicUrl}/login?next=${next}`]);
  });

  it('is refused to anybody else, administrators too, and to tokens of scripts and apps', async () => {
    const { loginUri } = await newSource();
    for (const token of ['mallory', 'admin']) {
      const page = await world.browser(token).at(loginUri);
      assert.deepEqual([page.status, page.location], [403, '']);
      assert.match(page.text, /belongs to somebody else/);
      assert.doesNotMatch(page.text, /ada|corp/i);
    }
    for (const party of ['haic-app-1', 'haic-cli', 'haic-platform'])
      assert.equal((await world.browser(`ada@${party}`).at(loginUri)).status, 403, party);
  });

  it('knows no address but those that it made', async () => {
    for (const at of ['x', '%2e%2e', `${'a'.repeat(43)}`, 'a'.repeat(500), "'%20or%201=1--"])
      assert.equal(
        (await world.browser('ada').at(`${publicUrl}/api/connections/login/${at}`)).status,
        404,
        at,
      );
  });

  it('is no use to who catches the answer: in another browser, as another person, or a second time', async () => {
    const source = await newSource();
    const browser = world.browser('ada');
    const callback = await browser.toProvider(source.loginUri);
    assert.match(callback, /[?&]code=/);
    assert.equal((await world.browser('ada').at(callback)).status, 400, 'another browser');
    assert.equal((await world.browser('mallory').at(callback)).status, 400, 'another person’s browser');
    assert.equal((await browser.at(callback)).status, 303);
    assert.equal((await browser.at(callback)).status, 400, 'again');
  });

  it('lets nobody have another person connect the account of theirs', async () => {
    // Mallory logs in, keeps the answer to herself and has Ada’s browser open it.
    const hers = await newSource('mallory');
    const malloryBrowser = world.browser('mallory');
    const callback = await malloryBrowser.toProvider(hers.loginUri);
    const page = await world.browser('ada').at(callback);
    assert.equal(page.status, 400);
    assert.equal((await world.source('mallory', 'corp', idOf(hers))).loginRequired, true);
  });

  it('refuses an answer with another state, of another client’s address, or too late', async () => {
    const source = await newSource();
    const browser = world.browser('ada');
    const callback = new URL(await browser.toProvider(source.loginUri));
    const changed = new URL(callback);
    changed.searchParams.set('state', `${'x'.repeat(43)}`);
    assert.equal((await browser.at(changed.href)).status, 400);
    const elsewhere = callback.href.replace('/corp/', '/short/');
    assert.equal((await browser.at(elsewhere)).status, 400, 'mixed up');
    const later = await newSource();
    const late = await browser.toProvider(later.loginUri);
    ahead = 11 * 60_000;
    const page = await browser.at(late);
    ahead = 0;
    assert.equal(page.status, 400);
    assert.match(page.text, /took too long/);
  });

  it('says what the provider said when it said no', async () => {
    const source = await newSource();
    const browser = world.browser('ada');
    const { location } = await browser.at(source.loginUri);
    const state = new URL(location).searchParams.get('state');
    const query = new URLSearchParams({
      ...{ state: state ?? '', error: 'access_denied', error_description: '<script>not today</script>' },
      iss: world.corp.issuer,
    });
    const page = await browser.at(`${publicUrl}/api/connections/corp/callback?${query}`);
    assert.equal(page.status, 400);
    assert.match(page.text, /it said &quot;&lt;script&gt;not today/);
    assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  });

  it('goes on by itself to pages of Haic and of this machine, and tells before it leaves them', async () => {
    for (const target of [`${publicUrl}/x?y=1`, 'http://app1.localhost:1/', 'http://127.0.0.1:8888/cb'])
      assert.equal(
        (await world.browser('ada').logIn((await newSource('ada', target)).loginUri)).location,
        target,
      );
    const nowhere = await world.browser('ada').logIn((await newSource('ada', '')).loginUri);
    assert.deepEqual([nowhere.status, nowhere.location], [200, '']);
    assert.match(nowhere.text, /Connected with Corp.*ada\.at\.corp.*You can close this page/s);
    const evil = 'https://evil.example/phish?a="><script>';
    const page = await world.browser('ada').logIn((await newSource('ada', evil)).loginUri);
    assert.deepEqual([page.status, page.location], [200, '']);
    assert.match(page.text, /not one of this Haic: evil\.example/);
    assert.match(page.text, /href="https:\/\/evil\.example\/phish\?a=%22%3E%3Cscript%3E"/);
  });

  for (const target of [
    ...['/relative', '//evil.example', 'javascript:alert(1)', 'data:text/html,x', 'ftp://x.example/'],
    ...['http://evil.example/', 'https://ada@evil.example/', 'https://ok.example\\@evil.example/'],
    ...['https://ok.example/\n', ' https://ok.example/', `https://ok.example/${'a'.repeat(2000)}`],
  ])
    it(`refuses to go to ${JSON.stringify(target.slice(0, 40))} afterwards`, async () => {
      const body = { redirectUri: target };
      const answer = await world.call('ada', 'POST', 'oauthClients/corp/tokenSources', body);
      assert.deepEqual([answer.status, answer.body.code], [400, 3], answer.text);
    });

  it('has the trail hear what the provider refused, once, and without what it was sent', async () => {
    const source = await newSource();
    const browser = world.browser('ada');
    const { location } = await browser.at(source.loginUri);
    const state = new URL(location).searchParams.get('state') ?? '';
    const code = 'a-code-that-it-was-sent';
    const query = new URLSearchParams({
      ...{ state, error: 'access_denied', error_description: `not for ${code} of ${state}`, code },
      iss: world.corp.issuer,
    });
    world.audit.actions.length = 0;
    assert.equal((await browser.at(`${publicUrl}/api/connections/corp/callback?${query}`)).status, 400);
    const [{ userAgent, sourceIpAddress, ...told } = { userAgent: '', sourceIpAddress: '' }, ...more] =
      world.audit.actions;
    assert.deepEqual(
      [told, more],
      [
        {
          ...{ action: 'actions/securestore/tokenSources/LOGIN', readOnly: false, principal: 'users/ada' },
          resource: `//secure-store/${source.name}`,
          status: {
            code: 3,
            message:
              'login_refused: Connecting with Corp failed: it said "not for … of …". Please start again.',
          },
        },
        [],
      ],
    );
    assert.ok(sourceIpAddress !== '' && userAgent !== '');
  });

  it('is refused also where the trail cannot hear of it, and what is away refuses nothing', async () => {
    const answered = async (description: string) => {
      const browser = world.browser('ada');
      const { location } = await browser.at((await newSource()).loginUri);
      const query = new URLSearchParams({
        ...{ state: new URL(location).searchParams.get('state') ?? '', error: 'access_denied' },
        ...{ error_description: description, iss: world.corp.issuer },
      });
      return { browser, callback: `${publicUrl}/api/connections/corp/callback?${query}` };
    };
    const { browser, callback } = await answered('no');
    world.audit.away = true;
    const page = await browser.at(callback);
    world.audit.away = false;
    assert.deepEqual([page.status, /it said &quot;no/.test(page.text)], [400, true]);
    const source = await newSource();
    const toRedeem = await browser.toProvider(source.loginUri);
    world.audit.actions.length = 0;
    world.corp.down = true;
    assert.equal((await browser.at(toRedeem)).status, 503);
    world.corp.down = false;
    assert.deepEqual(world.audit.actions, []);
  });

  it('is heard of by the trail', async () => {
    const fresh = await newSource();
    await world.browser('ada').logIn(fresh.loginUri);
    await world.source('ada', 'corp', idOf(fresh));
    const actions = new Set(world.audit.actions.map(({ action }) => action));
    for (const verb of ['CREATE', 'LOGIN', 'GET'])
      assert.ok(actions.has(`actions/securestore/tokenSources/${verb}`), verb);
  });

  it('leaves no token, secret, code or login address in log or trail', async () => {
    const source = await newSource();
    const browser = world.browser('ada');
    const callback = await browser.toProvider(source.loginUri);
    await browser.at(callback);
    const { accessToken } = await world.source('ada', 'corp', idOf(source));
    const said = [...world.log, JSON.stringify(world.audit.actions)].join('\n');
    const code = new URL(callback).searchParams.get('code') ?? '';
    const secrets = [accessToken, foreignClient.secret, code, source.loginUri.split('/').at(-1) ?? ''];
    for (const secret of secrets) assert.ok(secret.length > 20 && !said.includes(secret), secret);
    const stored = JSON.stringify([
      await world.database.sql`select * from secrets.token_sources`,
      await world.database.sql`select * from secrets.oauth_clients`,
      await world.database.sql`select * from secrets.logins`,
    ]);
    for (const secret of secrets) assert.ok(!stored.includes(secret));
  });

  describe('at a provider that lies', () => {
    const signed = async (claims: JWTPayload, key: JWK = world.corp.signingKey) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'first' })
        .sign(await importJWK(key, 'RS256'));
    const withClaims = (change: (claims: JWTPayload) => JWTPayload) => (token: string) =>
      signed(change(decodeJwt(token)));
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const lies: Readonly<Record<string, (token: string) => Promise<string> | string>> = {
      'of another issuer': withClaims((claims) => ({ ...claims, iss: 'https://evil.example' })),
      'for another client': withClaims((claims) => ({ ...claims, aud: 'somebody-else' })),
      'issued to another party': withClaims((claims) => ({ ...claims, azp: 'somebody-else' })),
      'of another login': withClaims((claims) => ({ ...claims, nonce: 'another' })),
      'that is over': withClaims((claims) => ({ ...claims, iat: 1, exp: 2 })),
      'without a subject': withClaims(({ sub: _, ...claims }) => claims),
      'that nobody signed': (token) => `${encode({ alg: 'none' })}.${token.split('.')[1]}.`,
      'signed with the client’s secret': (token) => {
        const content = `${encode({ alg: 'HS256', kid: 'first' })}.${token.split('.')[1]}`;
        return `${content}.${createHmac('sha256', foreignClient.secret).update(content).digest('base64url')}`;
      },
      'signed by another key': async (token) => signed(decodeJwt(token), await newSigningKey('first')),
    };
    for (const [what, lie] of Object.entries(lies))
      it(`an ID token ${what} connects nothing`, async () => {
        const source = await newSource();
        world.corp.forge = lie;
        const page = await world.browser('ada').logIn(source.loginUri);
        world.corp.forge = undefined;
        assert.equal(page.status, 400, page.text);
        assert.match(page.text, /Not connected/);
        assert.equal((await world.source('ada', 'corp', idOf(source))).loginRequired, true);
      });

    it('what it says of another person at userinfo connects nothing', async () => {
      const source = await newSource();
      world.corp.tamper = (path, json) => {
        if (path === '/me') json.sub = 'somebody-else';
      };
      const page = await world.browser('ada').logIn(source.loginUri);
      world.corp.tamper = undefined;
      assert.equal(page.status, 400, page.text);
    });

    it('a provider that is away is said to be, and nothing is half done', async () => {
      const source = await newSource();
      const browser = world.browser('ada');
      const callback = await browser.toProvider(source.loginUri);
      world.corp.down = true;
      const page = await browser.at(callback);
      world.corp.down = false;
      assert.equal(page.status, 503);
      assert.match(page.text, /Corp cannot be reached/);
      assert.equal((await browser.logIn(source.loginUri)).status, 303);
    });
  });
});

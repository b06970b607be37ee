import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from 'jose';
import * as oidc from 'openid-client';
import { operatorSecret, portalSecret, startTestIdentity, type TestIdentity } from './test-identity.ts';
import { TestBrowser } from './testing.ts';

const password = 'correct horse battery staple';
const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;
const audience = 'https://login.partner.example/realms/data';
const instanceId = '3f0c7a52-6a58-4c0e-9a39-0f6a9e4d1f10';
const otherInstance = '91d6a0b4-64b4-4d52-8f0c-2ef4c9d8e3aa';
const operatorPath = '/internal/identity/foreign-resources';
const apiPath = '/api/v1/foreign-resources';

suite('Tokens exchanged for resources that others guard (RFC 8693)', () => {
  let haic: TestIdentity;
  let app: { clientId: string; clientSecret: string };
  let other: { clientId: string; clientSecret: string };
  let operator: string;

  before(async () => {
    haic = await startTestIdentity();
    app = await register(instanceId, 'app-of-ada');
    other = await register(otherInstance, 'another-app');
    operator = await haic.operatorToken();
    await haic.identity.operator.add({ username: 'admin', roles: ['admin', 'user'], groups: [] }, password);
    const resource = { name: 'partner', audience, scopes: ['read', 'write'], apps: ['app-of-ada'] };
    assert.equal((await call('POST', operatorPath, resource)).status, 201);
  });
  after(() => haic?.stop());

  const register = (id: string, appId: string) => {
    const url = `${haic.publicUrl.replace('//', `//${id}.`)}/`;
    return haic.identity.client.registerAppClient({
      instanceId: id,
      appId,
      redirectUri: `${url}_auth/callback`,
      postLogoutRedirectUri: url,
      name: 'An app',
    });
  };
  const call = async (method: string, path: string, body?: unknown, token = operator) => {
    const response = await fetch(haic.publicUrl + path, {
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

  let people = 0;
  const newPerson = async () => {
    people += 1;
    const username = `person${people}`;
    const details = { username, name: 'Ada Lovelace', email: `${username}@haic.example`, roles: ['user'] };
    const { person } = await haic.identity.operator.add({ ...details, groups: ['g'] }, password);
    return { ...person, browser: new TestBrowser({ address: `192.0.2.${people}` }) };
  };
  type Someone = Awaited<ReturnType<typeof newPerson>>;
  const signInAtApp = (who: Someone, at = app, id = instanceId) =>
    haic.signIn({
      clientId: at.clientId,
      secret: at.clientSecret,
      redirectUri: `${haic.publicUrl.replace('//', `//${id}.`)}/_auth/callback`,
      username: who.username,
      password,
      browser: who.browser,
      pkce: false,
    });

  /** As the app asks, with `changes`; an undefined one leaves a parameter out. */
  const exchange = async (
    subjectToken: string,
    changes: Record<string, string | undefined> = {},
    as: { clientId: string; clientSecret: string } = app,
    more: readonly [string, string][] = [],
  ) => {
    const body = new URLSearchParams([...more]);
    const parameters = {
      grant_type: grant,
      subject_token: subjectToken,
      subject_token_type: type('access_token'),
      audience,
      ...changes,
    };
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) body.append(name, value);
    const basic = Buffer.from(`${encodeURIComponent(as.clientId)}:${as.clientSecret}`).toString('base64');
    const response = await fetch(`${haic.issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body,
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const refused = async (asked: ReturnType<typeof exchange>, error: string, why: RegExp) => {
    const { status, body } = await asked;
    assert.deepEqual([status, body.error], [400, error], JSON.stringify(body));
    assert.match(body.error_description ?? '', why);
  };
  const openId = () =>
    fetch(`${haic.issuer}/.well-known/openid-configuration`).then(
      async (response) => (await response.json()) as { grant_types_supported: string[] },
    );

  test('an app gets a short token of its person for that one audience, which says for whom the app acts', async () => {
    const who = await newPerson();
    const { tokens, config } = await signInAtApp(who);
    const answer = await oidc.genericGrantRequest(config, grant, {
      subject_token: tokens.access_token,
      subject_token_type: type('access_token'),
      audience,
      scope: 'read',
    });
    assert.equal(answer.issued_token_type, type('access_token'));
    const keys = createRemoteJWKSet(new URL(`${haic.issuer}/protocol/openid-connect/certs`));
    const { payload, protectedHeader } = await jwtVerify(answer.access_token, keys, {
      issuer: haic.issuer,
      audience,
      typ: 'at+jwt',
    });
    assert.equal(protectedHeader.alg, 'RS256');
    const { iat = 0, exp = 0, jti, ...claims } = payload;
    assert.ok(jti !== undefined && exp - iat === 120 && answer.expires_in === 120);
    assert.deepEqual(claims, {
      iss: haic.issuer,
      aud: audience,
      sub: who.id,
      client_id: app.clientId,
      azp: app.clientId,
      act: { sub: app.clientId },
      scope: 'read',
      preferred_username: who.username,
      name: 'Ada Lovelace',
      email: who.email,
    });
  });

  test('it may be the JWT that another authorization server takes as a grant (RFC 7523), and no access token then', async () => {
    const { tokens } = await signInAtApp(await newPerson());
    const { status, body } = await exchange(tokens.access_token, { requested_token_type: type('jwt') });
    assert.equal(status, 200);
    assert.deepEqual([body.token_type, body.issued_token_type], ['N_A', type('jwt')]);
    assert.equal(decodeProtectedHeader(body.access_token ?? '').typ, 'authorization-grant+jwt');
    assert.equal(body.scope, 'read write');
    assert.equal(body.refresh_token, undefined);
  });

  test('`resource` names the target as well; the discovery document says that tokens are exchanged', async () => {
    const { tokens } = await signInAtApp(await newPerson());
    const { body } = await exchange(tokens.access_token, { audience: undefined, resource: audience });
    assert.equal(decodeJwt(body.access_token ?? '').aud, audience);
    assert.ok((await openId()).grant_types_supported.includes(grant));
  });

  test('a token that was exchanged is worth nothing at Haic', async () => {
    const { tokens } = await signInAtApp(await newPerson());
    const { body } = await exchange(tokens.access_token);
    const foreign = body.access_token ?? '';
    await assert.rejects(haic.verifyToken(foreign), { status: 401 });
    const info = await fetch(`${haic.issuer}/protocol/openid-connect/userinfo`, {
      headers: { authorization: `Bearer ${foreign}` },
    });
    assert.equal(info.status, 401);
    assert.equal((await call('GET', '/api/v1/me/tokens', undefined, foreign)).status, 401);
    await refused(exchange(foreign), 'invalid_request', /not valid here/);
  });

  test('an unknown audience, Haic itself, none or two are refused', async () => {
    const { tokens } = await signInAtApp(await newPerson());
    const token = tokens.access_token;
    for (const bad of [
      'https://evil.example',
      'haic',
      'urn:haic:services',
      haic.issuer,
      `${audience}/`,
      '\0',
    ])
      await refused(exchange(token, { audience: bad }), 'invalid_target', /may not ask/);
    const resource = { audience: undefined, resource: 'urn:haic:services' };
    await refused(exchange(token, resource), 'invalid_target', /may not ask/);
    await refused(exchange(token, { audience: undefined }), 'invalid_target', /exactly one/);
    await refused(exchange(token, { resource: audience }), 'invalid_target', /exactly one/);
    const twice: [string, string][] = [['audience', 'https://evil.example']];
    await refused(exchange(token, {}, app, twice), 'invalid_target', /exactly one/);
  });

  test('scopes beyond those of the resource are refused', async () => {
    const { tokens } = await signInAtApp(await newPerson());
    for (const scope of ['admin', 'read admin', 'openid'])
      await refused(exchange(tokens.access_token, { scope }), 'invalid_scope', /no such scope/);
  });

  test('the token of another app, of the portal, or one fetched for scripts is refused', async () => {
    const who = await newPerson();
    const own = await signInAtApp(who);
    const elsewhere = await signInAtApp(who, other, otherInstance);
    const portal = await haic.signIn({
      clientId: wellKnownClients.portal,
      secret: portalSecret,
      redirectUri: `${haic.publicUrl}/oauth2/callback`,
      username: who.username,
      password,
      browser: who.browser,
    });
    const platform = await haic.clientOf(wellKnownClients.platform);
    const { refreshToken } = await haic.identity.operator.platformToken(who.username);
    const script = await oidc.refreshTokenGrant(platform, refreshToken);
    for (const { access_token } of [elsewhere.tokens, portal.tokens, script])
      await refused(exchange(access_token), 'invalid_request', /issued to another client/);
    assert.equal((await exchange(own.tokens.access_token)).status, 200);
  });

  test('what is no access token of Haic is refused: ID, refresh, forged, expired and foreign tokens', async (context) => {
    const { tokens } = await signInAtApp(await newPerson());
    const [head = '', body = '', signature = ''] = tokens.access_token.split('.');
    const claims = decodeJwt(tokens.access_token);
    const forger = await generateKeyPair('RS256');
    const forged = (payload: object, kid = decodeProtectedHeader(tokens.access_token).kid ?? '') =>
      new SignJWT({ ...payload }).setProtectedHeader({ alg: 'RS256', kid }).sign(forger.privateKey);
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const bad of [
      tokens.id_token ?? '',
      tokens.refresh_token ?? '',
      'nonsense',
      `${encode({ alg: 'none' })}.${body}.`,
      `${head}.${encode({ ...claims, sub: 'somebody-else' })}.${signature}`,
      await forged(claims),
      await forged({ ...claims, iss: 'https://evil.example' }, 'evil'),
    ])
      await refused(exchange(bad), 'invalid_request', /not valid here/);
    await refused(exchange('', { subject_token: undefined }), 'invalid_request', /subject_token/);
    for (const wrong of [type('id_token'), type('refresh_token'), type('jwt'), type('saml2'), undefined])
      await refused(
        exchange(tokens.access_token, { subject_token_type: wrong }),
        'invalid_request',
        /subject_token_type/,
      );
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 6 * 60_000 });
    await refused(exchange(tokens.access_token), 'invalid_request', /not valid here, or no longer/);
  });

  test('actor tokens, and other kinds of token than two, are refused', async () => {
    const { tokens } = await signInAtApp(await newPerson());
    const token = tokens.access_token;
    for (const actor of [
      { actor_token: token, actor_token_type: type('access_token') },
      { actor_token: token },
      { actor_token_type: type('access_token') },
    ])
      await refused(exchange(token, actor), 'invalid_request', /actor tokens are not supported/);
    for (const wanted of [type('refresh_token'), type('id_token'), type('saml2'), 'nonsense'])
      await refused(
        exchange(token, { requested_token_type: wanted }),
        'invalid_request',
        /requested_token_type/,
      );
  });

  test('a token whose sign-in has ended is refused: signed out, revoked, disabled', async () => {
    const gone = await newPerson();
    const signedOut = await signInAtApp(gone);
    await gone.browser.fetch(
      oidc.buildEndSessionUrl(signedOut.config, { id_token_hint: signedOut.tokens.id_token ?? '' }).href,
    );
    await refused(exchange(signedOut.tokens.access_token), 'invalid_request', /has ended/);

    const revoked = await signInAtApp(await newPerson());
    await oidc.tokenRevocation(revoked.config, revoked.tokens.refresh_token ?? '');
    await refused(exchange(revoked.tokens.access_token), 'invalid_request', /has ended/);

    const who = await newPerson();
    const disabled = await signInAtApp(who);
    const minted = await haic.identity.client.mintAppToken({ instanceId, subject: who.id });
    assert.equal((await exchange(minted.accessToken)).status, 200);
    await haic.identity.operator.change(who.username, { disabled: true });
    for (const token of [disabled.tokens.access_token, minted.accessToken])
      await refused(exchange(token), 'invalid_request', /may not sign in/);
    await haic.identity.operator.change(who.username, { disabled: false });
    await refused(exchange(disabled.tokens.access_token), 'invalid_request', /has ended/);
  });

  test('only who is registered may ask: an app by its very id, a service account by its name, or all', async () => {
    const who = await newPerson();
    const elsewhere = await signInAtApp(who, other, otherInstance);
    const ask = () => exchange(elsewhere.tokens.access_token, {}, other);
    const change = async (changes: object) =>
      assert.equal((await call('PATCH', `${operatorPath}/partner`, changes)).status, 200);
    const nobody = /may not ask/;
    await refused(ask(), 'invalid_target', nobody);
    await change({ apps: ['*'] });
    assert.equal((await ask()).status, 200);
    await change({ apps: [] });
    await refused(ask(), 'invalid_target', nobody);

    const account = { name: 'pipeline', owner: who.username, roles: ['user'] };
    const made = await call('POST', '/internal/identity/service-accounts', account);
    const machine = { clientId: 'haic-sa-pipeline', clientSecret: made.body.secret };
    const own = async () => {
      const config = await haic.clientOf(machine.clientId, machine.clientSecret);
      return (await oidc.clientCredentialsGrant(config)).access_token;
    };
    await refused(exchange(await own(), {}, machine), 'invalid_target', nobody);
    await change({ serviceAccounts: ['another'] });
    await refused(exchange(await own(), {}, machine), 'invalid_target', nobody);
    await change({ serviceAccounts: ['pipeline'] });
    const { body } = await exchange(await own(), {}, machine);
    const claims = decodeJwt(body.access_token ?? '');
    assert.deepEqual([claims.sub, claims.preferred_username], [made.body.account.id, 'pipeline']);
    // It acts for itself, and for nobody whose token it was handed.
    assert.equal(claims.act, undefined);
    await refused(
      exchange(elsewhere.tokens.access_token, {}, machine),
      'invalid_request',
      /issued to another client/,
    );
    await change({ apps: ['app-of-ada'], serviceAccounts: [] });
  });

  test('the portal, scripts and services of the platform exchange nothing; nor does who cannot authenticate', async () => {
    const { tokens } = await signInAtApp(await newPerson());
    for (const [clientId, clientSecret] of [
      [wellKnownClients.portal, portalSecret],
      [wellKnownClients.operator, operatorSecret],
    ] as const)
      await refused(
        exchange(tokens.access_token, {}, { clientId, clientSecret }),
        'invalid_request',
        /not allowed for this client/,
      );
    for (const clientId of [wellKnownClients.platform, wellKnownClients.cli]) {
      const response = await fetch(`${haic.issuer}/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: grant, client_id: clientId, audience }),
      });
      assert.equal(response.status, 400, clientId);
    }
    const wrong = { ...app, clientSecret: other.clientSecret };
    assert.equal((await exchange(tokens.access_token, {}, wrong)).status, 401);
  });

  test('administrators register, change and remove resources; others, and apps, do not even see them', async () => {
    const tokenOf = async (username: string) => {
      const platform = await haic.clientOf(wellKnownClients.platform);
      const { refreshToken } = await haic.identity.operator.platformToken(username);
      return (await oidc.refreshTokenGrant(platform, refreshToken)).access_token;
    };
    const admin = await tokenOf('admin');
    const who = await newPerson();
    const person = await tokenOf(who.username);
    const administrator = await haic.identity.operator.get('admin');
    const { accessToken: ofApp } = await haic.identity.client.mintAppToken({
      instanceId,
      subject: administrator.id,
    });
    for (const [method, path, body] of [
      ['GET', apiPath, undefined],
      ['POST', apiPath, { name: 'x', audience: 'https://x.example' }],
      ['GET', `${apiPath}/partner`, undefined],
      ['PATCH', `${apiPath}/partner`, { apps: ['*'] }],
      ['DELETE', `${apiPath}/partner`, undefined],
    ] as const) {
      const asPerson = await call(method, path, body, person);
      assert.deepEqual(
        [asPerson.status, asPerson.body.code],
        [403, 'administrators_only'],
        `${method} ${path}`,
      );
      const asApp = await call(method, path, body, ofApp);
      assert.deepEqual([asApp.status, asApp.body.code], [403, 'app_token_refused'], `${method} ${path}`);
      const atOperator = await call(method, path.replace(apiPath, operatorPath), body, admin);
      assert.deepEqual(
        [atOperator.status, atOperator.body.code],
        [403, 'operator_only'],
        `${method} ${path}`,
      );
    }

    const made = await call('POST', apiPath, { name: 'Ledger', audience: 'ledger' }, admin);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual(
      { ...made.body, createdAt: '' },
      {
        ...{ name: 'ledger', audience: 'ledger', description: '', scopes: [], apps: [] },
        ...{ serviceAccounts: [], createdAt: '' },
      },
    );
    const first = await call('GET', `${apiPath}?pageSize=1`, undefined, admin);
    assert.deepEqual(
      first.body.items.map(({ name }: { name: string }) => name),
      ['ledger'],
    );
    const next = await call('GET', `${apiPath}?pageToken=${first.body.nextPageToken}`, undefined, admin);
    assert.equal(next.body.items[0].name, 'partner');
    for (const taken of [
      { name: 'ledger', audience: 'another' },
      { name: 'another', audience: 'ledger' },
    ])
      assert.equal((await call('POST', apiPath, taken, admin)).body.code, 'foreign_resource_taken');
    const change = { scopes: ['b', 'a', 'a'], apps: ['*', 'x'], description: 'Accounts' };
    const changed = await call('PATCH', `${apiPath}/ledger`, change, admin);
    assert.deepEqual([changed.body.scopes, changed.body.apps], [['a', 'b'], ['*']]);
    const { tokens } = await signInAtApp(who);
    assert.equal((await exchange(tokens.access_token, { audience: 'ledger' })).status, 200);
    assert.equal((await call('DELETE', `${apiPath}/ledger`, undefined, admin)).status, 204);
    await refused(exchange(tokens.access_token, { audience: 'ledger' }), 'invalid_target', /may not ask/);
    assert.equal((await call('DELETE', `${apiPath}/ledger`, undefined, admin)).status, 404);
  });

  test('no audience is registered that Haic or a client of it answers to', async () => {
    for (const bad of [
      'haic',
      'HAIC',
      'haic-portal',
      app.clientId,
      'urn:haic:services',
      haic.publicUrl,
      haic.issuer,
      `${haic.publicUrl}/secure-store`,
      'two words',
      '',
      'https://partner.example/#fragment',
    ]) {
      const { status, body } = await call('POST', operatorPath, { name: 'bad', audience: bad });
      assert.deepEqual([status, body.code], [400, 'bad_audience'], bad);
    }
    const wrong = async (fields: object, code: string) => {
      const { body } = await call('POST', operatorPath, {
        name: 'bad',
        audience: 'https://b.example',
        ...fields,
      });
      assert.equal(body.code, code, JSON.stringify(body));
    };
    await wrong({ name: '../x' }, 'bad_name');
    await wrong({ scopes: ['a b'] }, 'bad_scope');
    await wrong({ apps: ['ada/app'] }, 'bad_client');
    await wrong({ serviceAccounts: ['a b'] }, 'bad_client');
  });
});

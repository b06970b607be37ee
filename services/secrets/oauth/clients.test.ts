import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { publicUrl } from '../testing.ts';
import { foreignClient, startTestOAuth, type TestOAuth } from './testing.ts';

describe('OAuth clients', () => {
  let world: TestOAuth;
  before(async () => {
    world = await startTestOAuth();
  });
  after(() => world?.stop());
  const get = (id: string, token = 'ada') => world.call(token, 'GET', `oauthClients%2F${id}`);

  it('are answered with every field as the contract wants it, and never with their secret', async () => {
    const { status, body } = await world.makeClient('corp', { extraScopes: ['email', 'api', 'email'] });
    assert.equal(status, 200);
    const { createTime, uid, ...client } = body.oauthClient;
    assert.ok(Date.parse(createTime) > 0 && /^[0-9a-f-]{36}$/.test(uid));
    assert.deepEqual(client, {
      ...{ name: 'oauthClients/corp', displayName: 'Corp', issuer: world.corp.issuer },
      ...{ clientId: foreignClient.id, clientSecret: '', clientSecretSet: true },
      ...{ authorizationEndpoint: '', tokenEndpoint: '', extraScopes: ['email', 'api'] },
      ...{ refreshDisabled: false, oidcDisabled: false, loginPrincipalClaim: 'preferred_username' },
      callbackUri: `${publicUrl}/api/connections/corp/callback`,
      ...{ creator: 'users/admin', updater: '', updateTime: null },
    });
    assert.deepEqual((await get('corp')).body, body);
  });

  it('get an id where none is asked for, and none twice', async () => {
    const named = await world.makeClient('');
    assert.match(named.body.oauthClient.name, /^oauthClients\/[a-z][a-z0-9-]*$/);
    const again = await world.makeClient('corp');
    assert.deepEqual([again.status, again.body.code], [409, 6]);
  });

  for (const id of ['Upper', '9first', 'last-', 'a_b', 'a'.repeat(64)])
    it(`take no id ${id.slice(0, 20)}, and neither do token sources`, async () => {
      const source = `oauthClients%2Fcorp/tokenSources?tokenSourceId=${id}`;
      for (const { status, body } of [
        await world.makeClient(id),
        await world.call('ada', 'POST', source, {}),
      ])
        assert.deepEqual([status, body.code], [400, 3], body.message);
    });

  const plain = {
    oidcDisabled: true,
    authorizationEndpoint: 'https://idp.example/a',
    tokenEndpoint: 'https://idp.example/t',
  };
  const wrong: readonly (readonly [string, Record<string, unknown>])[] = [
    ['no issuer', { issuer: '' }],
    ['an issuer that is no address', { issuer: 'idp' }],
    ['an issuer of another scheme', { issuer: 'file:///etc/passwd' }],
    ['a plain address beyond this machine', { issuer: 'http://idp.example' }],
    ['a user name in an address', { issuer: 'https://a:b@idp.example' }],
    ['a fragment in an address', { tokenEndpoint: 'https://idp.example/t#x' }],
    ['no client id', { clientId: '' }],
    ['a line break in the client id', { clientId: 'a\nb' }],
    ['a display name of 64 characters', { displayName: 'x'.repeat(64) }],
    ['a scope with a space', { extraScopes: ['a b'] }],
    ['an empty scope', { extraScopes: [''] }],
    ['openid among the extra scopes', { extraScopes: ['email', 'openid'] }],
    ['a principal claim with a space', { loginPrincipalClaim: 'a b' }],
    ['plain OAuth without a token endpoint', { ...plain, tokenEndpoint: '' }],
    ['plain OAuth without an authorization endpoint', { ...plain, authorizationEndpoint: '' }],
  ];
  for (const [what, settings] of wrong)
    it(`are refused with ${what}`, async () => {
      const { status, body } = await world.makeClient('wrong', settings);
      assert.deepEqual([status, body.code], [400, 3], body.message);
      assert.equal((await get('wrong')).status, 404);
    });

  it('may have 63 characters of name, no secret, and addresses of their own', async () => {
    const { body } = await world.makeClient('edge', {
      ...plain,
      displayName: 'x'.repeat(63),
      clientSecret: '',
    });
    const { clientSecretSet, oidcDisabled, tokenEndpoint } = body.oauthClient;
    assert.deepEqual([clientSecretSet, oidcDisabled, tokenEndpoint], [false, true, 'https://idp.example/t']);
  });

  describe('change', () => {
    const patch = (mask: string, body: Record<string, unknown>) =>
      world.call('admin', 'PATCH', `oauthClients%2Fcorp${mask === '' ? '' : `?updateMask=${mask}`}`, body);

    it('what the mask names, and nothing else, whatever was sent', async () => {
      const { status, body } = await patch('display_name%2Cextra_scopes', {
        ...{ displayName: 'New', extraScopes: ['x'], refreshDisabled: true, issuer: 'https://evil.example' },
        ...{ clientId: 'evil', clientSecret: 'evil', oidcDisabled: true, creator: 'users/evil', uid: 'x' },
        ...{ createTime: '2020-01-01T00:00:00+02:00', updateTime: '2020-01-01T00:00:00' },
      });
      assert.equal(status, 200, JSON.stringify(body));
      const { displayName, extraScopes, refreshDisabled, issuer, clientId, oidcDisabled, creator } =
        body.oauthClient;
      assert.deepEqual([displayName, extraScopes, refreshDisabled], ['New', ['x'], false]);
      assert.deepEqual(
        [issuer, clientId, oidcDisabled, creator],
        [world.corp.issuer, foreignClient.id, false, 'users/admin'],
      );
      assert.equal(body.oauthClient.updater, 'users/admin');
      assert.ok(Date.parse(body.oauthClient.updateTime) > Date.parse('2025-01-01'));
    });

    it('all that can be changed, by *', async () => {
      const { body } = await patch('*', {
        displayName: '',
        refreshDisabled: true,
        loginPrincipalClaim: 'email',
      });
      const { displayName, extraScopes, refreshDisabled, loginPrincipalClaim } = body.oauthClient;
      assert.deepEqual(
        [displayName, extraScopes, refreshDisabled, loginPrincipalClaim],
        ['', [], true, 'email'],
      );
      const back = await patch('login_principal_claim', { loginPrincipalClaim: '' });
      assert.equal(back.body.oauthClient.loginPrincipalClaim, 'preferred_username');
    });

    const masks: readonly (readonly [mask: string, why: RegExp])[] = [
      ['', /updateMask is missing: \* or any of display_name, extra_scopes, refresh_disabled/],
      ...['issuer', 'client_id', 'client_secret', 'oidc_disabled', 'name', 'tokenEndpoint'].map(
        (path) => [path, /never changes\. What can be changed is display_name/] as const,
      ),
      ['display_name%2CtokenEndpoint', /"token_endpoint" never changes/],
      ['*%2Cissuer', /"issuer" never changes/],
      ['display_name.x', /"display_name.x" is a part of display_name/],
      ['__proto__', /"__proto__" is no field/],
      ['toString', /"to_string" is no field/],
      ['uid', /Name what is to change/],
    ];
    for (const [mask, why] of masks)
      it(`nothing by the mask "${mask}"`, async () => {
        const { status, body } = await patch(mask, { displayName: 'no' });
        assert.deepEqual([status, body.code], [400, 3], body.message);
        assert.match(body.message, why);
        assert.notEqual((await get('corp')).body.oauthClient.displayName, 'no');
      });

    it('by a mask that also names what the store writes itself, since clients send back what they read', async () => {
      const { status, body } = await patch('displayName%2Cuid%2CupdateTime', { displayName: 'Y', uid: 'x' });
      assert.deepEqual([status, body.oauthClient.displayName], [200, 'Y']);
      assert.notEqual(body.oauthClient.uid, 'x');
    });

    it('nothing where a value is wrong', async () => {
      assert.equal((await patch('extra_scopes', { extraScopes: ['openid'] })).status, 400);
      assert.deepEqual((await get('corp')).body.oauthClient.extraScopes, []);
    });
  });

  it('are listed in pages', async () => {
    const first = await world.call('ada', 'GET', 'oauthClients?pageSize=2&pageToken=');
    assert.equal(first.body.oauthClients.length, 2);
    const rest = await world.call('ada', 'GET', `oauthClients?pageToken=${first.body.nextPageToken}`);
    assert.equal(rest.body.nextPageToken, '');
    assert.equal(first.body.oauthClients.length + rest.body.oauthClients.length, 3);
  });

  it('go with their token sources, which no other client of that id gets back', async () => {
    await world.makeClient('short');
    await world.makeSource('ada', 'short', 'mine');
    assert.deepEqual((await world.call('admin', 'DELETE', 'oauthClients%2Fshort')).body, {});
    assert.equal((await get('short')).status, 404);
    assert.equal((await world.call('ada', 'GET', 'oauthClients%2Fshort%2FtokenSources%2Fmine')).status, 404);
    await world.makeClient('short');
    const list = await world.call('ada', 'GET', 'oauthClients%2Fshort/tokenSources?pageSize=0&pageToken=');
    assert.deepEqual(list.body, { tokenSources: [], nextPageToken: '' });
    const [keys] = await world.database.sql`
      select count(*)::int as n from secrets.data_keys k
      where not exists (select 1 from secrets.oauth_clients where data_key = k.id)
        and not exists (select 1 from secrets.token_sources where data_key = k.id)`;
    assert.equal(keys?.n, 0);
  });
});

/**
 * Who may what, written by hand: administrators make and change clients, everybody sees them; a token source is its creator's, whom an app acts
 * for too. `admin` is an administrator who made none of these.
 */
const who = [
  'ada',
  'mallory',
  'admin',
  'ada@haic-app-1',
  'ada@haic-cli',
  'admin@haic-app-1',
  'admin@haic-platform',
  'admin@haic-sa-ci',
  'ada@haic-service-core',
  '',
] as const;

const at = 'oauthClients/corp';
const mine = `${at}/tokenSources/mine`;
const redirect = { redirectUri: `${publicUrl}/x` };
const client = { issuer: 'https://idp.example', clientId: 'x' };

// biome-ignore format: columns
const table: readonly (readonly [string, string, unknown, ...number[]])[] = [
  //                                                              ada  mall adm  app  cli  aapp aplt asa  svc  none
  ['POST',   'oauthClients?oauthClientId={new}', client,          403, 403, 200, 403, 403, 403, 200, 200, 403, 401],
  ['GET',    at, undefined,                                       200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    'oauthClients', undefined,                           200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['PATCH',  `${at}?updateMask=display_name`, client,             403, 403, 200, 403, 403, 403, 200, 200, 403, 401],
  ['POST',   `${at}:invalidateTokenSources`, undefined,           403, 403, 200, 403, 403, 403, 200, 200, 403, 401],
  ['DELETE', 'oauthClients/none', undefined,                      403, 403, 404, 403, 403, 403, 404, 404, 403, 401],
  ['POST',   `${at}/tokenSources?tokenSourceId={new}`, redirect,  200, 200, 200, 200, 200, 200, 200, 403, 403, 401],
  ['GET',    mine, undefined,                                     200, 404, 404, 200, 200, 404, 404, 403, 403, 401],
  ['GET',    `${at}/tokenSources`, undefined,                     200, 200, 200, 200, 200, 200, 200, 403, 403, 401],
  ['DELETE', `${at}/tokenSources/none`, undefined,                404, 404, 404, 404, 404, 404, 404, 403, 403, 401],
];

describe('who may what with OAuth clients and token sources', () => {
  let world: TestOAuth;
  before(async () => {
    world = await startTestOAuth();
    await world.makeClient('corp');
    await world.makeSource('ada', 'corp', 'mine');
  });
  after(() => world?.stop());

  let made = 0;
  for (const [method, path, body, ...expected] of table)
    it(`${method} ${path}`, async () => {
      const answers: string[] = [];
      for (const token of who) {
        made += 1;
        const { status } = await world.call(token, method, path.replace('{new}', `n${made}`), body);
        answers.push(`${token || 'nobody'} ${status}`);
      }
      assert.deepEqual(
        answers,
        who.map((token, index) => `${token || 'nobody'} ${expected[index]}`),
      );
    });

  it('names every method of both services', () => {
    const methods = world.secrets.services
      .filter(({ desc }) => /\.(OAuthClient|TokenSource)Service$/.test(desc.typeName))
      .flatMap(({ methods }) => [...methods.keys()]);
    assert.equal(methods.length, table.length);
  });

  it('lists to everybody what is theirs, and lets two people use one id', async () => {
    await world.makeSource('mallory', 'corp', 'mine');
    for (const token of ['ada', 'mallory']) {
      const { body } = await world.call(token, 'GET', `${at}/tokenSources`);
      assert.ok(body.tokenSources.every(({ creator }: { creator: string }) => creator === `users/${token}`));
    }
    assert.notEqual(
      (await world.source('ada', 'corp', 'mine')).loginUri,
      (await world.source('mallory', 'corp', 'mine')).loginUri,
    );
    const again = await world.call('ada', 'POST', `${at}/tokenSources?tokenSourceId=mine`, redirect);
    assert.deepEqual([again.status, again.body.code], [409, 6]);
  });

  it('lists token sources in pages that leave nothing out and end with an empty token', async () => {
    await world.makeClient('paged');
    for (const id of ['c', 'a', 'b']) await world.makeSource('ada', 'paged', id);
    const page = async (query: string) => {
      const { body } = await world.call('ada', 'GET', `oauthClients%2Fpaged/tokenSources?${query}`);
      const ids = body.tokenSources.map(({ name }: { name: string }) => name.split('/').at(-1));
      return { ids, next: body.nextPageToken as string };
    };
    const first = await page('pageSize=2&pageToken=');
    assert.deepEqual(first.ids, ['a', 'b']);
    assert.deepEqual(await page(`pageSize=2&pageToken=${first.next}`), { ids: ['c'], next: '' });
  });

  it('has the trail hear of who was refused', () => {
    const refused = world.audit.actions.filter(({ status }) => status?.code === 7);
    assert.ok(refused.some(({ action }) => action === 'actions/securestore/oauthClients/CREATE'));
  });
});

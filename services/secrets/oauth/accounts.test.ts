import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { publicUrl } from '../testing.ts';
import { foreignClient, startTestOAuth, type TestOAuth } from './testing.ts';

const accounts = '/api/v1/connected-accounts';
const clients = '/api/v1/oauth-clients';
const hour = 60 * 60_000;

describe('connected accounts and OAuth clients, as the portal shows them', () => {
  let world: TestOAuth;
  let ahead = 0;
  before(async () => {
    world = await startTestOAuth({ now: () => new Date(Date.now() + ahead) });
    assert.equal((await world.makeClient('corp', { extraScopes: ['email'] })).status, 200);
    assert.equal((await world.makeClient('short', { refreshDisabled: true })).status, 200);
  });
  after(() => world?.stop());

  const make = async (id: string, client = 'corp', token = 'ada') => {
    const answer = await world.ask(token, 'POST', accounts, { client, id });
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  };
  const see = async (id: string, client = 'corp', token = 'ada') =>
    (await world.ask(token, 'GET', `${accounts}/${client}/${id}`)).body;
  const connect = async (id: string, client = 'corp') => {
    await make(id, client);
    const browser = world.browser('ada');
    return browser.at(await browser.fromPortal(client, id));
  };
  const returnedFrom = (place: string) =>
    `${publicUrl}/connected-accounts?returned=${encodeURIComponent(place)}`;
  /** Every answer of these routes so far, to be searched for what must not be there. */
  const answers: string[] = [];
  before(() => {
    const { ask } = world;
    world.ask = async (...asked) => {
      const answer = await ask(...asked);
      if (asked[2].startsWith('/api/v1/')) answers.push(answer.text);
      return answer;
    };
  });

  it('one is made, connected by the browser, and the browser is back at the page', async () => {
    const made = await make('mine');
    assert.deepEqual(
      [made.client, made.id, made.state, made.loginPrincipal, made.connectedAt, made.problem],
      [{ id: 'corp', displayName: 'Corp' }, 'mine', 'NOT_CONNECTED', '', null, null],
    );
    const browser = world.browser('ada');
    const page = await browser.at(await browser.fromPortal('corp', 'mine'));
    assert.deepEqual([page.status, page.location], [303, returnedFrom('corp/mine')]);
    const { createdAt, connectedAt, ...connected } = await see('mine');
    assert.ok(Date.parse(connectedAt) >= Date.parse(createdAt));
    assert.deepEqual(connected, {
      ...{ client: { id: 'corp', displayName: 'Corp' }, id: 'mine', state: 'CONNECTED' },
      ...{ loginPrincipal: 'ada.at.corp', scopes: ['openid', 'profile', 'offline_access', 'email'] },
      ...{ endsAt: null, lastUsedAt: null, problem: null },
    });
  });

  it('looking at them opens no token, tells the trail of none, and counts as no use', async () => {
    const before = world.audit.actions.length;
    const { status, body } = await world.ask('ada', 'GET', accounts);
    assert.deepEqual([status, body.items.length], [200, 1]);
    assert.equal(world.audit.actions.length, before);
    assert.equal((await see('mine')).lastUsedAt, null);
    await world.source('ada', 'corp', 'mine');
    assert.ok(Date.parse((await see('mine')).lastUsedAt) > 0, 'an app asked for its token');
  });

  it('are seen, logged in and disconnected by nobody else, administrators neither', async () => {
    for (const token of ['mallory', 'admin']) {
      assert.deepEqual((await world.ask(token, 'GET', accounts)).body.items, []);
      for (const [method, at] of [
        ['GET', `${accounts}/corp/mine`],
        ['POST', `${accounts}/corp/mine/login`],
        ['DELETE', `${accounts}/corp/mine`],
      ] as const)
        assert.equal((await world.ask(token, method, at)).status, 404, `${token} ${method} ${at}`);
    }
    for (const party of ['haic-app-1', 'haic-cli'])
      assert.equal((await world.ask(`ada@${party}`, 'POST', `${accounts}/corp/mine/login`)).status, 403);
  });

  it('the answer of the provider is worth nothing in another browser', async () => {
    const callback = await world.browser('ada').fromPortal('corp', 'mine');
    const page = await world.browser('ada').at(callback);
    assert.equal(page.status, 400);
    assert.match(page.text, /href="http:\/\/localhost:1\/connected-accounts"/);
  });

  it('what the provider refuses is said at the page, and is over with the next login that works', async () => {
    await make('refused');
    const browser = world.browser('ada');
    const answer = await world.ask('ada', 'POST', `${accounts}/corp/refused/login`);
    const state = new URL(answer.body.url).searchParams.get('state') ?? '';
    const said = new URLSearchParams({
      ...{ state, error: 'access_denied', error_description: 'not today', iss: world.corp.issuer },
    });
    const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
    const page = await world.server.inject({
      url: `/api/connections/corp/callback?${said}`,
      headers: { authorization: 'Bearer ada', cookie },
    });
    assert.deepEqual([page.statusCode, page.headers.location], [303, returnedFrom('corp/refused')]);
    const refused = await see('refused');
    assert.equal(refused.state, 'NOT_CONNECTED');
    assert.match(refused.problem.message, /^Connecting with Corp failed: it said "not today"/);
    await browser.at(await browser.fromPortal('corp', 'refused'));
    assert.deepEqual([(await see('refused')).state, (await see('refused')).problem], ['CONNECTED', null]);
  });

  it('a provider that is away is said to be, before and after its pages', async () => {
    await make('away');
    const browser = world.browser('ada');
    const callback = await browser.fromPortal('corp', 'away');
    world.corp.down = true;
    const page = await browser.at(callback);
    world.corp.down = false;
    assert.equal(page.location, returnedFrom('corp/away'));
    assert.match((await see('away')).problem.message, /Corp cannot be reached/);
  });

  it('one that is not renewed has an end, and then needs a login', async () => {
    await connect('brief', 'short');
    const brief = await see('brief', 'short');
    assert.equal(brief.state, 'CONNECTED');
    assert.ok(Date.parse(brief.endsAt) > Date.now());
    ahead += 2 * hour;
    assert.deepEqual(
      [(await see('brief', 'short')).state, (await see('mine')).state],
      ['LOGIN_REQUIRED', 'CONNECTED'],
    );
    ahead = 0;
  });

  it('one from before that was noted is asked itself', async () => {
    await world.database.sql`update secrets.token_sources set renewable = null`;
    ahead += 2 * hour;
    assert.deepEqual(
      [(await see('brief', 'short')).state, (await see('mine')).state],
      ['LOGIN_REQUIRED', 'CONNECTED'],
    );
    ahead = 0;
  });

  it('one that its provider or an administrator ended says who', async () => {
    await connect('ended');
    assert.equal(
      (await world.call('admin', 'POST', 'oauthClients%2Fcorp:invalidateTokenSources')).status,
      200,
    );
    const ended = await see('ended');
    assert.equal(ended.state, 'LOGIN_REQUIRED');
    assert.match(ended.problem.message, /An administrator ended this access/);
  });

  it('come in pages, by client and id', async () => {
    const seen: string[] = [];
    for (let pageToken = '', pages = 0; pages < 10; pages += 1) {
      const { body } = await world.ask('ada', 'GET', `${accounts}?pageSize=2&pageToken=${pageToken}`);
      seen.push(
        ...body.items.map((each: { client: { id: string }; id: string }) => `${each.client.id}/${each.id}`),
      );
      pageToken = body.nextPageToken ?? '';
      if (pageToken === '') break;
    }
    assert.deepEqual(seen, ['corp/away', 'corp/ended', 'corp/mine', 'corp/refused', 'short/brief']);
  });

  it('one that is disconnected is gone, for apps too, and can be made anew', async () => {
    await connect('leaving');
    const { accessToken } = await world.source('ada', 'corp', 'leaving');
    assert.equal((await world.ask('ada', 'DELETE', `${accounts}/corp/leaving`)).status, 204);
    assert.equal((await world.ask('ada', 'DELETE', `${accounts}/corp/leaving`)).status, 404);
    await assert.rejects(world.source('ada', 'corp', 'leaving'), /404/);
    assert.ok(accessToken !== '');
    assert.equal((await make('leaving')).state, 'NOT_CONNECTED');
    assert.deepEqual(
      world.audit.actions
        .filter(({ resource, status }) => resource?.endsWith('/leaving') && status === undefined)
        .map(({ action }) => action.replace('actions/securestore/tokenSources/', '')),
      ['CREATE', 'LOGIN', 'GET', 'DELETE', 'CREATE'],
    );
  });

  it('a try whose answer was lost makes no second one, account or client', async () => {
    const key = { 'idempotency-key': 'k1' };
    const first = await world.ask('ada', 'POST', accounts, { client: 'corp' }, key);
    const second = await world.ask('ada', 'POST', accounts, { client: 'corp' }, key);
    assert.deepEqual([first.status, second.body], [201, first.body]);
    const body = { issuer: 'https://idp.example', clientId: 'x' };
    const made = await world.ask('admin', 'POST', clients, body, key);
    assert.deepEqual(
      [made.status, (await world.ask('admin', 'POST', clients, body, key)).body],
      [201, made.body],
    );
  });

  it('nonsense for a name is nothing that exists', async () => {
    for (const at of ['corp/%00', '%00/mine', 'corp/No', `${'x'.repeat(90)}/mine`])
      for (const [method, verb] of [
        ['GET', ''],
        ['POST', '/login'],
      ] as const)
        assert.equal((await world.ask('ada', method, `${accounts}/${at}${verb}`)).status, 404, at);
    for (const body of [{ client: '\u0000' }, { client: 'corp', id: 'No' }, { client: 'none' }, {}, []])
      assert.ok([400, 404].includes((await world.ask('ada', 'POST', accounts, body)).status));
  });

  describe('OAuth clients', () => {
    it('are found by part of their id, name or issuer, in pages', async () => {
      await world.ask('admin', 'POST', clients, {
        ...{ id: 'hub', displayName: 'Code Hub', issuer: 'https://hub.example', clientId: 'haic' },
      });
      const found = async (query: string) => {
        const { body } = await world.ask('ada', 'GET', `${clients}?query=${encodeURIComponent(query)}`);
        return body.items.map(({ id }: { id: string }) => id);
      };
      assert.deepEqual(await found('code h'), ['hub']);
      assert.deepEqual(await found('HUB.EXAMPLE'), ['hub']);
      assert.deepEqual(await found('short'), ['short']);
      assert.deepEqual(await found('%'), []);
      const page = await world.ask('ada', 'GET', `${clients}?pageSize=1`);
      assert.deepEqual([page.body.items.length, typeof page.body.nextPageToken], [1, 'string']);
    });

    it('are made, changed and deleted by administrators alone, who are told of in the trail', async () => {
      const settings = { issuer: 'https://idp.example', clientId: 'x', clientSecret: foreignClient.secret };
      for (const [method, at, body] of [
        ['POST', clients, settings],
        ['PATCH', `${clients}/hub`, { displayName: 'Mine' }],
        ['PUT', `${clients}/hub/secret`, { clientSecret: 'x' }],
        ['GET', `${clients}/corp/people`, undefined],
        ['DELETE', `${clients}/hub`, undefined],
      ] as const) {
        const refused = await world.ask('ada', method, at, body);
        assert.deepEqual([refused.status, refused.body.code], [403, 'not_allowed'], `${method} ${at}`);
      }
      const changed = await world.ask('admin', 'PATCH', `${clients}/hub`, { extraScopes: ['api'] });
      assert.deepEqual(
        [changed.body.displayName, changed.body.extraScopes, changed.body.updatedBy],
        ['Code Hub', ['api'], 'admin.name'],
      );
      assert.equal((await world.ask('admin', 'PATCH', `${clients}/hub`, {})).status, 400);
      assert.equal((await world.ask('admin', 'PATCH', `${clients}/hub`, { issuer: 'x' })).status, 400);
      assert.equal((await world.ask('admin', 'DELETE', `${clients}/hub`)).status, 204);
      assert.equal((await world.ask('admin', 'GET', `${clients}/hub`)).status, 404);
      const told = world.audit.actions.filter(
        ({ resource }) => resource === '//secure-store/oauthClients/hub',
      );
      assert.deepEqual(
        told.map(({ action, status }) => [action.split('/').at(-1), status === undefined]),
        [
          ['CREATE', true],
          ...[
            ['UPDATE', false],
            ['REPLACESECRET', false],
            ['DELETE', false],
          ],
          ...[
            ['UPDATE', true],
            ['UPDATE', false],
            ['UPDATE', false],
            ['DELETE', true],
          ],
        ],
      );
    });

    it('have their secret replaced, and the next login uses it', async () => {
      const wrong = await world.ask('admin', 'PUT', `${clients}/corp/secret`, { clientSecret: 'no longer' });
      assert.deepEqual([wrong.status, wrong.body.hasSecret], [200, true]);
      await connect('rotated');
      assert.match((await see('rotated')).problem.message, /Corp refuses Haic as its client/);
      const { secret: clientSecret } = foreignClient;
      assert.equal((await world.ask('admin', 'PUT', `${clients}/corp/secret`, { clientSecret })).status, 200);
      const browser = world.browser('ada');
      await browser.at(await browser.fromPortal('corp', 'rotated'));
      assert.equal((await see('rotated')).state, 'CONNECTED');
      const none = await world.ask('admin', 'PUT', `${clients}/short/secret`, { clientSecret: '' });
      assert.equal(none.body.hasSecret, false);
      for (const clientSecret of ['x'.repeat(2001), 'a\u0000b', 1, null])
        assert.equal(
          (await world.ask('admin', 'PUT', `${clients}/corp/secret`, { clientSecret })).status,
          400,
        );
    });

    it('say whom their end would concern', async () => {
      await make('hers', 'corp', 'mallory');
      const { body } = await world.ask('admin', 'GET', `${clients}/corp/people?pageSize=1`);
      assert.deepEqual(
        [body.total, body.items.map(({ username }: { username: string }) => username)],
        [2, ['ada.name']],
      );
      const next = await world.ask('admin', 'GET', `${clients}/corp/people?pageToken=${body.nextPageToken}`);
      assert.deepEqual(next.body.items, [{ subject: 'mallory', username: 'mallory.name', accounts: 1 }]);
    });
  });

  it('no token, secret or address of a login is in any answer, the log or the trail', async () => {
    const { accessToken, loginUri } = await world.source('ada', 'corp', 'rotated');
    const said = [...answers, ...world.log, JSON.stringify(world.audit.actions)].join('\n');
    assert.ok(answers.length > 50 && accessToken.length > 20);
    for (const secret of [accessToken, foreignClient.secret, 'no longer"', loginUri.split('/').at(-1) ?? ''])
      assert.ok(!said.includes(secret), secret);
  });
});

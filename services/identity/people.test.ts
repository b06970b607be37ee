import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import * as oidc from 'openid-client';
import { portalSecret, routerSecret, startTestIdentity, type TestIdentity } from './test-identity.ts';
import { TestBrowser } from './testing.ts';

const password = 'correct horse battery staple';
const instanceId = '3f0c7a52-6a58-4c0e-9a39-0f6a9e4d1f10';
const invalidGrant = { error: 'invalid_grant' };
const callbacks = {
  portal: '/oauth2',
  platform: '/auth/get-platform-token',
  cli: '/auth/get-token',
} as const;
type ClientName = keyof typeof callbacks;

suite('People, sessions and tokens by the public API', () => {
  let haic: TestIdentity;
  before(async () => {
    haic = await startTestIdentity();
    await haic.identity.client.registerAppClient({
      instanceId,
      appId: 'an-app',
      redirectUri: `${haic.publicUrl}/_auth/callback`,
      postLogoutRedirectUri: haic.publicUrl,
      name: 'An app',
    });
  });
  after(() => haic.stop());

  let people = 0;
  /** Somebody with a user name of their own, so that tests do not meet each other's people. */
  async function newPerson(roles: readonly string[] = ['user']) {
    people += 1;
    const username = `person${people}`;
    const { person } = await haic.identity.operator.add({ username, roles, groups: [] }, password);
    return { ...person, browser: new TestBrowser({ address: `192.0.2.${people}` }) };
  }
  type Someone = Awaited<ReturnType<typeof newPerson>>;

  const signIn = (client: ClientName, who: Someone) =>
    haic.signIn({
      clientId: wellKnownClients[client],
      ...(client === 'portal' ? { secret: portalSecret } : {}),
      redirectUri: `${haic.publicUrl}${callbacks[client]}/callback`,
      username: who.username,
      password,
      browser: who.browser,
    });
  const tokenOf = async (client: ClientName, who: Someone) => (await signIn(client, who)).tokens.access_token;
  const refresh = (session: { config: oidc.Configuration; tokens: { refresh_token?: string } }) =>
    oidc.refreshTokenGrant(session.config, session.tokens.refresh_token ?? '');

  async function call(token: string | undefined, route: string, body?: unknown) {
    const [method = 'GET', path = ''] = route.split(' ');
    const response = await fetch(`${haic.publicUrl}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { status: response.status, json, code: json.code };
  }
  interface Listed {
    id: string;
    kind: string;
    client: string;
    createdAt: string;
    lastUsedAt: string | null;
    current: boolean;
  }
  const tokensOf = async (token: string, of = '/api/v1/me/tokens') =>
    (await call(token, `GET ${of}`)).json.items as Listed[];
  /** Makes everybody else who is an administrator an ordinary person, so that a test knows who is left. */
  async function onlyAdministrators(...kept: readonly Someone[]) {
    for (const person of await haic.identity.operator.list()) {
      if (person.roles.includes('admin') && !kept.some(({ id }) => id === person.id))
        await haic.identity.operator.change(person.username, { roles: ['user'] });
    }
  }

  // By hand from design.md §6 ("refused for administration, for tokens and sign-in settings") and contracts/app-store.md §4.
  // biome-ignore format: columns
  const matrix: readonly (readonly [route: string, body: unknown, ...statuses: number[]])[] = [
    //                                                          admin admin admin  admin's user visitor demoted disabled router nobody
    //                                                          portal platf. cli  app
    ['GET /api/v1/people',                      undefined,       200,  200,  200,  403,   403,  403,   403,    403,    403,   401],
    ['GET /api/v1/people?query=x',              undefined,       200,  200,  200,  403,   403,  403,   403,    403,    403,   401],
    ['POST /api/v1/people',                     'new',           201,  201,  201,  403,   403,  403,   403,    403,    403,   401],
    ['GET /api/v1/people/:name',                undefined,       200,  200,  200,  403,   403,  403,   403,    403,    403,   401],
    ['PATCH /api/v1/people/:name',              { name: 'N' },   200,  200,  200,  403,   403,  403,   403,    403,    403,   401],
    ['POST /api/v1/people/:name/password',      undefined,       200,  403,  403,  403,   403,  403,   403,    403,    403,   401],
    ['GET /api/v1/people/:name/tokens',         undefined,       200,  200,  200,  403,   403,  403,   403,    403,    403,   401],
    ['DELETE /api/v1/people/:name/tokens/none', undefined,       404,  404,  404,  403,   403,  403,   403,    403,    403,   401],
    ['DELETE /api/v1/people/:name',             undefined,       204,  204,  204,  403,   403,  403,   403,    403,    403,   401],
    ['GET /api/v1/people/nobody',               undefined,       404,  404,  404,  403,   403,  403,   403,    403,    403,   401],
    // Who may not administer learns nothing from what is wrong with the call.
    ['POST /api/v1/people',                     { wrong: 1 },    400,  400,  400,  403,   403,  403,   403,    403,    403,   401],
    ['GET /api/v1/me/tokens',                   undefined,       200,  200,  200,  403,   200,  200,   200,    403,    403,   401],
    ['DELETE /api/v1/me/tokens/none',           undefined,       404,  404,  404,  403,   404,  404,   404,    403,    403,   401],
    ['GET /internal/identity/users',            undefined,       403,  403,  403,  403,   403,  403,   403,    403,    403,   401],
  ];

  test('who may what', async () => {
    const admin = await newPerson(['admin', 'user']);
    const demoted = await newPerson(['admin', 'user']);
    const disabled = await newPerson(['admin', 'user']);
    const actors: readonly (readonly [string, string | undefined])[] = [
      ['admin, portal', await tokenOf('portal', admin)],
      ['admin, platform token', await tokenOf('platform', admin)],
      ['admin, CLI token', await tokenOf('cli', admin)],
      [
        'an app of the admin',
        (await haic.identity.client.mintAppToken({ instanceId, subject: admin.id })).accessToken,
      ],
      ['user', await tokenOf('portal', await newPerson(['user']))],
      ['visitor', await tokenOf('portal', await newPerson(['visitor']))],
      // Their tokens still say "admin" for minutes.
      ['was admin', await tokenOf('portal', demoted)],
      ['disabled admin', await tokenOf('portal', disabled)],
      [
        'router',
        (await oidc.clientCredentialsGrant(await haic.clientOf(wellKnownClients.router, routerSecret)))
          .access_token,
      ],
      ['nobody', undefined],
    ];
    await haic.identity.operator.change(demoted.username, { roles: ['user'] });
    await haic.identity.operator.change(disabled.username, { disabled: true });
    for (const [route, body, ...expected] of matrix) {
      for (const [column, [actor, token]] of actors.entries()) {
        const target = await haic.identity.operator.add(
          { username: `target-${crypto.randomUUID()}`, roles: ['user'], groups: [] },
          password,
        );
        const sent = body === 'new' ? { username: `new-${crypto.randomUUID()}`, roles: ['user'] } : body;
        const answer = await call(token, route.replace(':name', target.person.username), sent);
        assert.equal(answer.status, expected[column], `${route} as ${actor}: ${JSON.stringify(answer.json)}`);
      }
    }
  });

  test('an administrator adds someone, who signs in with the password that was shown once', async () => {
    const token = await tokenOf('portal', await newPerson(['admin']));
    const added = await call(token, 'POST /api/v1/people', {
      username: 'Grace.Hopper',
      name: 'Grace Hopper',
      email: 'grace@example.org',
      roles: ['user'],
      groups: ['navy'],
    });
    assert.equal(added.status, 201);
    const shown = String(added.json.password);
    const signedIn = await haic.signIn({
      clientId: wellKnownClients.portal,
      secret: portalSecret,
      redirectUri: `${haic.publicUrl}/oauth2/callback`,
      username: 'grace.hopper',
      password: shown,
      browser: new TestBrowser({ address: '198.51.100.7' }),
    });
    assert.deepEqual(signedIn.tokens.claims()?.groups, ['navy']);
    const { json } = await call(token, 'GET /api/v1/people/GRACE.hopper');
    assert.deepEqual(
      [json.username, json.name, json.email, json.roles, json.groups, json.disabled],
      ['grace.hopper', 'Grace Hopper', 'grace@example.org', ['user'], ['navy'], false],
    );
    assert.ok(!JSON.stringify(json).includes(shown) && !('passwordHash' in json));
    const again = await call(token, 'POST /api/v1/people', { username: 'grace.hopper' });
    assert.deepEqual([again.status, again.code], [409, 'username_taken']);

    const reset = await call(token, 'POST /api/v1/people/grace.hopper/password');
    assert.notEqual(reset.json.password, shown);
    await assert.rejects(refresh(signedIn), invalidGrant);
  });

  test('people are found by part of their names or a whole role or group, page by page', async () => {
    const token = await tokenOf('portal', await newPerson(['admin']));
    for (const [username, name, groups] of [
      ['page-a', 'Äda 100% Sure', ['wing one']],
      ['page-b', 'Bob', ['wing one']],
      ['page-c', 'Carol', []],
      ['page-d', 'Dan', ['wing one']],
    ] as const)
      await haic.identity.operator.add({ username, name, roles: ['tester'], groups }, password);
    const find = async (query: string) => {
      const { json } = await call(token, `GET /api/v1/people?query=${encodeURIComponent(query)}`);
      return (json.items as { username: string }[]).map(({ username }) => username);
    };
    assert.deepEqual(await find('PAGE-'), ['page-a', 'page-b', 'page-c', 'page-d']);
    assert.deepEqual(await find('100%'), ['page-a']);
    assert.deepEqual(await find('wing one'), ['page-a', 'page-b', 'page-d']);
    assert.deepEqual(await find('tester'), ['page-a', 'page-b', 'page-c', 'page-d']);
    assert.deepEqual(await find('%'), ['page-a']);

    const seen: string[] = [];
    let pageToken = '';
    do {
      const { json } = await call(token, `GET /api/v1/people?query=tester&pageSize=3&pageToken=${pageToken}`);
      seen.push(...(json.items as { username: string }[]).map(({ username }) => username));
      pageToken = String(json.nextPageToken ?? '');
    } while (pageToken !== '');
    assert.deepEqual(seen, ['page-a', 'page-b', 'page-c', 'page-d']);
  });

  test('a person who is added again under the same Idempotency-Key exists once, and the password is told once', async () => {
    const token = await tokenOf('portal', await newPerson(['admin']));
    const add = (username: string) =>
      fetch(`${haic.publicUrl}/api/v1/people`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': 'add-once',
        },
        body: JSON.stringify({ username }),
      });
    const first = await add('added-once');
    const { person, password: told } = (await first.json()) as { person: object; password: string };
    assert.ok(first.status === 201 && told.length > 10);
    const again = await add('added-once');
    assert.equal(again.status, 201);
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
    assert.deepEqual(await again.json(), { person });
    assert.equal((await add('somebody-else')).status, 422);
  });

  test('one’s own sessions and tokens come page by page, each once', async () => {
    const somebody = await newPerson();
    const token = await tokenOf('portal', somebody);
    for (const client of ['platform', 'cli'] as const) await tokenOf(client, somebody);
    const whole = (await call(token, 'GET /api/v1/me/tokens')).json.items as { id: string }[];
    assert.ok(whole.length >= 3);
    const seen: string[] = [];
    let next = '';
    do {
      const { json } = await call(token, `GET /api/v1/me/tokens?pageSize=1&pageToken=${next}`);
      seen.push(...(json.items as { id: string }[]).map(({ id }) => id));
      next = String(json.nextPageToken ?? '');
    } while (next !== '');
    assert.deepEqual(
      seen,
      whole.map(({ id }) => id),
    );
    const bad = await call(token, 'GET /api/v1/me/tokens?pageToken=AAAA');
    assert.deepEqual([bad.status, bad.code], [400, 'invalid_page_token']);
  });

  test('nonsense is refused by name and never reaches the database', async () => {
    const token = await tokenOf('portal', await newPerson(['admin']));
    const { username } = await newPerson();
    const one = `/api/v1/people/${username}`;
    for (const [route, body, status] of [
      ['GET /api/v1/people?pageSize=0', undefined, 400],
      ['GET /api/v1/people?pageSize=1001', undefined, 400],
      ['GET /api/v1/people?pageToken=AAAA', undefined, 400],
      ['GET /api/v1/people?query=%00', undefined, 400],
      ['GET /api/v1/people/%00', undefined, 404],
      ['GET /api/v1/people/%00/tokens', undefined, 404],
      ['DELETE /api/v1/me/tokens/%00', undefined, 404],
      [`PATCH ${one}`, { email: 'a\u0000@b' }, 400],
      [`PATCH ${one}`, { name: 'a\u0000' }, 400],
      [`PATCH ${one}`, { name: ' ' }, 400],
      [`PATCH ${one}`, { roles: ['a\u0000'] }, 400],
      [`PATCH ${one}`, { roles: 'admin' }, 400],
      [`PATCH ${one}`, { disabled: 'yes' }, 400],
      [`PATCH ${one}`, { passwordHash: 'x' }, 400],
      [`PATCH ${one}`, { username: 'other' }, 400],
      ['POST /api/v1/people', { username: 'a b' }, 400],
      ['POST /api/v1/people', { username: 'x', password: 'chosen by the administrator' }, 400],
    ] as const)
      assert.equal((await call(token, route, body)).status, status, `${route} ${JSON.stringify(body)}`);
  });

  test('an administrator can shut out neither themselves …', async () => {
    const admin = await newPerson(['admin', 'user']);
    await newPerson(['admin']);
    const token = await tokenOf('portal', admin);
    const own = `/api/v1/people/${admin.username.toUpperCase()}`;
    for (const [route, body] of [
      [`PATCH ${own}`, { disabled: true }],
      [`PATCH ${own}`, { roles: ['user'] }],
      [`PATCH ${own}`, { roles: [] }],
      [`DELETE ${own}`, undefined],
      [`POST ${own}/password`, undefined],
    ] as const) {
      const answer = await call(token, route, body);
      assert.deepEqual([answer.status, answer.code], [409, 'own_account'], route);
    }
    const changed = await call(token, `PATCH ${own}`, { name: 'Ada', roles: ['admin'], disabled: false });
    assert.equal(changed.status, 200);
    assert.equal((await call(token, 'GET /api/v1/people')).status, 200);
  });

  test('… nor, when two act on each other at once, the last administrator', async () => {
    for (const [method, body] of [
      ['PATCH', { disabled: true }],
      ['PATCH', { roles: ['user'] }],
      ['DELETE', undefined],
    ] as const) {
      const [one, two] = [await newPerson(['admin']), await newPerson(['admin'])];
      const [tokenOfOne, tokenOfTwo] = [await tokenOf('portal', one), await tokenOf('portal', two)];
      await onlyAdministrators(one, two);
      const answers = await Promise.all([
        call(tokenOfOne, `${method} /api/v1/people/${two.username}`, body),
        call(tokenOfTwo, `${method} /api/v1/people/${one.username}`, body),
      ]);
      // The second is refused as the last administrator, or because who asks is none any more.
      const refused = answers.filter(({ status }) => status >= 400);
      assert.equal(refused.length, 1, JSON.stringify(answers));
      assert.match(String(refused[0]?.code), /^(last_administrator|administrators_only|person_unavailable)$/);
      const left = (await haic.identity.operator.list()).filter(
        (person) => person.roles.includes('admin') && !person.disabled,
      );
      assert.equal(left.length, 1);
    }
  });

  test('a change that would leave no administrator is undone', async () => {
    const [actor, last] = [await newPerson(['admin']), await newPerson(['admin'])];
    await onlyAdministrators(last);
    for (const attempt of [
      () => haic.identity.operator.change(last.username, { disabled: true }, actor),
      () => haic.identity.operator.change(last.username, { roles: [] }, actor),
      () => haic.identity.operator.remove(last.username, actor),
    ])
      await assert.rejects(attempt, { status: 409, code: 'last_administrator' });
    const person = await haic.identity.operator.get(last.username);
    assert.deepEqual([person.disabled, person.roles], [false, ['admin']]);
    // Who owns the machine may: they can always make another.
    await haic.identity.operator.change(last.username, { roles: ['user'] });
  });

  test('one’s sessions and tokens are listed with the current one marked, and no secret in them', async () => {
    const who = await newPerson();
    const portal = await signIn('portal', who);
    const platform = await signIn('platform', who);
    await signIn('cli', who);
    const elsewhere = { ...who, browser: new TestBrowser({ address: '198.51.100.9' }) };
    const other = await signIn('portal', elsewhere);

    const listed = await tokensOf(portal.tokens.access_token);
    assert.deepEqual(listed.map(({ kind, client, current }) => `${kind} ${client} ${current}`).sort(), [
      'CLI_TOKEN haic-cli false',
      'PLATFORM_TOKEN haic-platform false',
      'SESSION haic-portal false',
      'SESSION haic-portal true',
    ]);
    const current = listed.find((one) => one.current);
    assert.equal(current?.id !== undefined, true);
    assert.notEqual((await tokensOf(other.tokens.access_token)).find((one) => one.current)?.id, current?.id);
    assert.ok(listed.every(({ createdAt }) => Math.abs(Date.now() - Date.parse(createdAt)) < 60_000));
    assert.ok(!JSON.stringify(listed).includes(platform.tokens.refresh_token ?? ''));
    // The ids stay the same from one look to the next, and a platform token sees the same list.
    const again = await tokensOf(platform.tokens.access_token);
    assert.deepEqual(again.map(({ id }) => id).sort(), listed.map(({ id }) => id).sort());

    const platformToken = (from: readonly Listed[]) => from.find(({ kind }) => kind === 'PLATFORM_TOKEN');
    assert.equal(platformToken(listed)?.lastUsedAt, null);
    await refresh(platform);
    let used: string | null | undefined = null;
    for (let looks = 0; looks < 100 && used === null; looks++)
      used = platformToken(await tokensOf(portal.tokens.access_token))?.lastUsedAt;
    assert.ok(typeof used === 'string' && Date.parse(used) >= Date.parse(listed[0]?.createdAt ?? ''));
  });

  test('revoking a token ends that one alone', async () => {
    const who = await newPerson();
    const portal = await signIn('portal', who);
    const platform = await signIn('platform', who);
    const second = await signIn('platform', who);
    const cli = await signIn('cli', who);
    const token = portal.tokens.access_token;
    await refresh(second);
    const unused = (await tokensOf(token)).filter(({ kind }) => kind === 'PLATFORM_TOKEN');
    assert.equal(unused.length, 2);
    const id = (await tokensOf(token)).find(({ kind }) => kind === 'CLI_TOKEN')?.id;
    assert.equal((await call(token, `DELETE /api/v1/me/tokens/${id}`)).status, 204);
    await assert.rejects(refresh(cli), invalidGrant);
    for (const session of [portal, platform, second]) await refresh(session);
    assert.equal((await call(token, `DELETE /api/v1/me/tokens/${id}`)).status, 404);

    const first = unused[0]?.id;
    assert.equal((await call(token, `DELETE /api/v1/me/tokens/${first}`)).status, 204);
    const results = await Promise.allSettled([refresh(platform), refresh(second)]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  });

  test('revoking another session ends its tokens and tells the portal', async () => {
    const who = await newPerson();
    const here = await signIn('portal', who);
    const elsewhere = { ...who, browser: new TestBrowser({ address: '198.51.100.10' }) };
    const there = await signIn('portal', elsewhere);
    const lasting = await signIn('platform', elsewhere);
    const before = haic.logoutTokens.length;
    const token = here.tokens.access_token;
    const id = (await tokensOf(token)).find(({ kind, current }) => kind === 'SESSION' && !current)?.id;
    assert.equal((await call(token, `DELETE /api/v1/me/tokens/${id}`)).status, 204);
    await assert.rejects(refresh(there), invalidGrant);
    await refresh(here);
    await refresh(lasting);
    assert.equal(haic.logoutTokens.length, before + 1);
    const page = await elsewhere.browser.follow(there.authorizationUrl.href, () => false);
    assert.match((await page.response?.text()) ?? '', /name="password"/);
  });

  test('nobody revokes what is another’s; an administrator does, by that person’s name', async () => {
    const who = await newPerson();
    const admin = await newPerson(['admin']);
    const platform = await signIn('platform', who);
    const [theirs] = await tokensOf(platform.tokens.access_token);
    const adminToken = await tokenOf('portal', admin);
    assert.equal((await call(adminToken, `DELETE /api/v1/me/tokens/${theirs?.id}`)).status, 404);
    const ofAdmin = `/api/v1/people/${admin.username}/tokens/${theirs?.id}`;
    assert.equal((await call(adminToken, `DELETE ${ofAdmin}`)).status, 404);
    await refresh(platform);

    const listed = await tokensOf(adminToken, `/api/v1/people/${who.username}/tokens`);
    assert.ok(listed.every(({ current }) => !current));
    const id = listed.find(({ kind }) => kind === 'PLATFORM_TOKEN')?.id;
    const path = `/api/v1/people/${who.username}/tokens/${id}`;
    assert.equal((await call(adminToken, `DELETE ${path}`)).status, 204);
    await assert.rejects(refresh(platform), invalidGrant);
  });

  test('disabling someone ends what they have, and enabling lets them in again', async () => {
    const who = await newPerson();
    const admin = await tokenOf('portal', await newPerson(['admin']));
    const platform = await signIn('platform', who);
    assert.equal((await call(admin, `PATCH /api/v1/people/${who.username}`, { disabled: true })).status, 200);
    await assert.rejects(refresh(platform), invalidGrant);
    assert.deepEqual(await tokensOf(admin, `/api/v1/people/${who.username}/tokens`), []);
    assert.equal(
      (await call(admin, `PATCH /api/v1/people/${who.username}`, { disabled: false })).status,
      200,
    );
    who.browser.clearCookies();
    await refresh(await signIn('platform', who));
  });
});

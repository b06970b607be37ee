import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { portalSecret, startTestIdentity, type TestIdentity } from './test-identity.ts';
import { TestBrowser } from './testing.ts';

const password = 'correct horse battery staple';

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly json: {
    readonly id: string;
    readonly name: string;
    readonly members: number;
    readonly items: readonly { id: string; name: string; members: number; username: string }[];
    readonly nextPageToken?: string;
    readonly lastSignInAt: string | null;
    readonly groups: readonly string[];
    readonly roles: readonly string[];
  };
}

suite('Groups, roles, and what happens when a person ends', () => {
  let haic: TestIdentity;
  let admin: string;
  let ended: string[] = [];
  let stopFails = false;
  before(async () => {
    haic = await startTestIdentity({
      whenPersonEnds: async (subject) => {
        ended.push(subject);
        if (stopFails) throw new Error('the scheduler is away');
      },
    });
    await add('root', ['admin', 'user']);
    admin = (await signIn('root')).tokens.access_token;
  });
  after(() => haic.stop());

  const add = async (username: string, roles = ['user'], groups: string[] = []) =>
    (await haic.identity.operator.add({ username, roles, groups }, password)).person;
  const signIn = (username: string) =>
    haic.signIn({
      clientId: wellKnownClients.portal,
      secret: portalSecret,
      redirectUri: `${haic.publicUrl}/oauth2/callback`,
      username,
      password,
      browser: new TestBrowser({ address: '192.0.2.44' }),
    });
  async function call(route: string, body?: unknown, token = admin): Promise<Answer> {
    const [method = 'GET', path = ''] = route.split(' ');
    const response = await fetch(`${haic.publicUrl}/api/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = text === '' ? {} : JSON.parse(text);
    return { status: response.status, code: json.code, json };
  }
  const make = async (name: string) => (await call('POST groups', { name })).json.id;
  const membersOf = async (kind: 'group' | 'role', name: string) =>
    (await call(`GET people?${kind}=${encodeURIComponent(name)}`)).json.items.map(({ username }) => username);

  test('only administrators see or change groups and roles, and no app of theirs does', async () => {
    await add('ursula');
    const user = (await signIn('ursula')).tokens.access_token;
    const instanceId = '3f0c7a52-6a58-4c0e-9a39-0f6a9e4d1f10';
    const at = haic.publicUrl;
    await haic.identity.client.registerAppClient({
      instanceId,
      appId: 'an-app',
      redirectUri: at,
      postLogoutRedirectUri: at,
      name: 'x',
    });
    const root = await haic.identity.client.findPersonByName('ROOT');
    const minted = await haic.identity.client.mintAppToken({ instanceId, subject: root?.subject ?? '' });
    const id = await make('guarded');
    for (const [route, body] of [
      ['GET groups', undefined],
      ['POST groups', { name: 'mine' }],
      [`GET groups/${id}`, undefined],
      [`PATCH groups/${id}`, { name: 'other' }],
      [`DELETE groups/${id}`, undefined],
      [`PUT groups/${id}/members/ursula`, undefined],
      [`DELETE groups/${id}/members/ursula`, undefined],
      ['GET roles', undefined],
      ['PUT roles/admin/members/ursula', undefined],
      ['DELETE roles/user/members/ursula', undefined],
    ] as const)
      for (const token of [user, minted.accessToken])
        assert.equal((await call(route, body, token)).status, 403, route);
  });

  test('a group exists without members, gains and loses them, and tokens say it', async () => {
    await add('gwen');
    const id = await make('Data science');
    assert.equal((await call(`GET groups/${id}`)).json.members, 0);
    for (let twice = 0; twice < 2; twice += 1)
      assert.equal((await call(`PUT groups/${id}/members/GWEN`)).status, 204);
    assert.equal((await call(`GET groups/${id}`)).json.members, 1);
    assert.deepEqual(await membersOf('group', 'Data science'), ['gwen']);
    assert.deepEqual((await signIn('gwen')).tokens.claims()?.groups, ['Data science']);
    assert.equal((await call(`DELETE groups/${id}/members/gwen`)).status, 204);
    assert.deepEqual(await membersOf('group', 'Data science'), []);
    assert.equal((await call(`GET groups/${id}`)).status, 200, 'the last one left, and it stays');
  });

  test('renaming takes everybody along, and deleting takes everybody out and nothing else', async () => {
    await add('rita', ['user'], ['alpha', 'zulu']);
    const [group] = (await call('GET groups?query=alpha')).json.items;
    const id = group?.id ?? '';
    assert.equal(group?.members, 1, 'a group that a person was given is one');
    assert.equal((await call(`PATCH groups/${id}`, { name: 'omega' })).json.name, 'omega');
    assert.deepEqual((await call('GET people/rita')).json.groups, ['omega', 'zulu']);
    assert.equal(
      (await call(`PATCH groups/${id}`, { name: 'OMEGA' })).status,
      200,
      'its own name in capitals',
    );
    assert.deepEqual([(await call(`PATCH groups/${id}`, { name: 'Zulu' })).code], ['group_name_taken']);
    assert.equal((await call(`DELETE groups/${id}`)).status, 204);
    assert.deepEqual((await call('GET people/rita')).json.groups, ['zulu']);
    for (const method of ['GET', 'DELETE']) assert.equal((await call(`${method} groups/${id}`)).status, 404);
  });

  test('names are checked, and one that differs in capitals only is taken', async () => {
    await make('Navy');
    assert.equal((await call('POST groups', { name: ' navy ' })).code, 'group_name_taken');
    for (const name of ['', ' ', '-x', 'a\u0000b', 'x'.repeat(128)])
      assert.equal((await call('POST groups', { name })).status, 400, JSON.stringify(name));
    for (const route of ['GET groups/none', 'GET groups/%00', 'PUT groups/none/members/root'])
      assert.equal((await call(route)).status, 404, route);
    assert.equal((await call(`PUT groups/${await make('Empty')}/members/nobody`)).status, 404);
    assert.equal((await call('GET groups?pageToken=AAAA')).status, 400);
    assert.equal((await call('GET groups?query=%00')).status, 400);
  });

  test('groups are searched by part of the name, page by page', async () => {
    for (const name of ['paged c', 'Paged b', 'paged a']) await make(name);
    const seen: string[] = [];
    let pageToken = '';
    do {
      const { json } = await call(`GET groups?query=PAGED&pageSize=2&pageToken=${pageToken}`);
      seen.push(...json.items.map(({ name }) => name));
      pageToken = json.nextPageToken ?? '';
    } while (pageToken !== '');
    assert.deepEqual(seen, ['Paged b', 'paged a', 'paged c']);
  });

  test('who joins while a group is renamed is in it under the name it has then', async () => {
    for (const name of ['r1', 'r2', 'r3', 'r4']) await add(name);
    const id = await make('before');
    const joins = ['r1', 'r2', 'r3', 'r4'].map((name) => call(`PUT groups/${id}/members/${name}`));
    await Promise.all([...joins, call(`PATCH groups/${id}`, { name: 'after' })]);
    assert.deepEqual(await membersOf('group', 'before'), []);
    assert.deepEqual(await membersOf('group', 'after'), ['r1', 'r2', 'r3', 'r4']);
  });

  test('roles are listed in plain words with who has them, given and taken one at a time', async () => {
    await add('rolf', ['user', 'reviewer']);
    const { items } = (await call('GET roles')).json;
    assert.deepEqual(
      items.slice(0, 3).map(({ name }) => name),
      ['admin', 'user', 'visitor'],
    );
    assert.equal(items.find(({ name }) => name === 'reviewer')?.members, 1);
    assert.equal((await call('PUT roles/visitor/members/rolf')).status, 204);
    assert.equal((await call('DELETE roles/user/members/rolf')).status, 204);
    assert.deepEqual((await call('GET people/rolf')).json.roles, ['reviewer', 'visitor']);
    assert.deepEqual(await membersOf('role', 'reviewer'), ['rolf']);
    assert.equal((await call('PUT roles/a%00b/members/rolf')).status, 400);
    assert.equal((await call('PUT roles/user/members/nobody')).status, 404);
  });

  test('neither one’s own administrator’s role is taken, nor the last one', async () => {
    assert.deepEqual([(await call('DELETE roles/admin/members/root')).code], ['own_account']);
    await add('second', ['admin']);
    const second = await haic.identity.operator.get('second');
    await haic.identity.operator.change('root', { roles: ['user'] });
    await assert.rejects(
      haic.identity.operator.changeRole('second', { take: 'admin' }, { ...second, id: 'x' }),
      {
        code: 'last_administrator',
      },
    );
    await haic.identity.operator.change('root', { roles: ['admin', 'user'] });
    assert.equal((await call('DELETE roles/admin/members/second')).status, 204);
  });

  test('the last sign-in is noted', async () => {
    await add('silent');
    assert.equal((await call('GET people/silent')).json.lastSignInAt, null);
    const before = Date.now();
    await signIn('silent');
    const { lastSignInAt } = (await call('GET people/silent')).json;
    assert.ok(Date.parse(lastSignInAt ?? '') >= before - 5000);
  });

  test('whoever is disabled or removed is told of once, and a change of anything else is not', async () => {
    const { id } = await add('bob');
    const other = await add('bea');
    ended = [];
    await call('PATCH people/bob', { name: 'Bob' });
    assert.deepEqual(ended, []);
    await call('PATCH people/bob', { disabled: true });
    await call('PATCH people/bob', { disabled: true });
    assert.deepEqual(ended, [id]);
    assert.deepEqual(await haic.identity.client.activeAmong([id, other.id, 'sub-x', 'no uuid']), [other.id]);
    await call('PATCH people/bob', { disabled: false });
    stopFails = true;
    assert.equal((await call('PATCH people/bob', { disabled: true })).status, 200, 'it is done all the same');
    stopFails = false;
    await call('DELETE people/bea');
    assert.deepEqual(ended, [id, id, other.id]);
    assert.deepEqual(await haic.identity.client.activeAmong([id, other.id]), []);
    assert.equal(await haic.identity.client.findPersonByName('bea'), undefined);
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestWorkspaces, type TestWorkspaces, tokenOf } from './testing.ts';

const ada = tokenOf('ada');
const bob = tokenOf('bob');

describe('workspaces', () => {
  let now = new Date('2026-03-01T12:00:00Z');
  let world: TestWorkspaces;
  before(async () => {
    world = await startTestWorkspaces({ clock: () => now });
  });
  after(() => world.stop());
  const call: TestWorkspaces['call'] = (...args) => world.call(...args);
  const later = (ms: number) => {
    now = new Date(now.getTime() + ms);
  };

  it('are made, with everything that the client of MLOps needs, and belong to who made them', async () => {
    const { status, json } = await call('POST', '/v1/workspaces', ada, {
      displayName: ' Fraud ',
      description: 'Models against fraud',
      annotations: { 'mlops.h2o.ai/deployment-on-demand': 'enabled', own: '' },
    });
    assert.equal(status, 200);
    const { name, etag, ...rest } = json.workspace;
    assert.match(name, /^workspaces\/[0-9a-f-]{36}$/);
    assert.equal(etag, '"1"');
    assert.deepEqual(rest, {
      displayName: 'Fraud',
      description: 'Models against fraud',
      annotations: { 'mlops.h2o.ai/deployment-on-demand': 'enabled', own: '' },
      createTime: '2026-03-01T12:00:00Z',
      updateTime: '2026-03-01T12:00:00Z',
      creator: 'users/sub-ada',
      tags: [],
      labels: [],
      kind: 'WORKSPACE_KIND_SHARED',
      role: 'ROLE_OWNER',
    });
    assert.deepEqual((await call('GET', `/v1/${name}`, ada)).json, json);
    // Clients send the whole name as one segment, too.
    assert.deepEqual((await call('GET', `/v1/${name.replace('/', '%2F')}`, ada)).json, json);
    const { members } = (await call('GET', `/v1/${name}/members`, ada)).json;
    assert.deepEqual(
      members.map((member: { member: string; role: string }) => [member.member, member.role]),
      [['users/sub-ada', 'ROLE_OWNER']],
    );
  });

  it('are changed by mask: what is masked and not given is cleared, annotations are replaced whole', async () => {
    const name = await world.make('ada');
    const tried = async (mask: string, body: unknown) =>
      (await call('PATCH', `/v1/${name}?updateMask=${mask}`, ada, body)).json;
    const update = async (mask: string, body: unknown) => (await tried(mask, body)).workspace;
    later(1000);
    const first = await update('display_name,description,annotations', {
      displayName: 'New',
      description: 'About',
      annotations: { a: '1', b: '2' },
    });
    assert.deepEqual(
      [first.displayName, first.description, first.annotations, first.updater, first.updateTime],
      ['New', 'About', { a: '1', b: '2' }, 'users/sub-ada', now.toISOString().replace('.000', '')],
    );
    const second = await update('annotations', { displayName: 'Not meant', annotations: { c: '3' } });
    assert.deepEqual([second.displayName, second.annotations], ['New', { c: '3' }]);
    const third = await update('description,annotations', {});
    assert.deepEqual([third.description, third.annotations], ['', {}]);
    assert.deepEqual((await tried('displayName', {})).code, 3);
    assert.equal(
      (await call('PATCH', `/v1/${name}`, ada, { description: 'Alone' })).json.workspace.displayName,
      'New',
    );
    assert.match((await tried('name', {})).message, /"name" never changes/);
    assert.match((await tried('annotations.a', {})).message, /"annotations.a" is a part of annotations/);
    assert.match((await tried('owner', {})).message, /"owner" is no field/);
    const read = await update('description,updater,updateTime', { description: 'Read', updater: 'users/x' });
    assert.deepEqual([read.description, read.updater], ['Read', 'users/sub-ada']);
    const all = await update('*', { displayName: 'All' });
    assert.deepEqual([all.displayName, all.description, all.annotations], ['All', '', {}]);
    await update('display_name', { displayName: 'New' });
    assert.match((await call('PATCH', `/v1/${name}`, ada, {})).json.message, /Name what is to change/);
  });

  it('are changed by one of two who read them at the same time; the other is told', async () => {
    const name = await world.make('ada', { 'users/sub-bob': 'ROLE_ADMIN' });
    const { etag } = (await call('GET', `/v1/${name}`, ada)).json.workspace;
    const change = (token: string, displayName: string) =>
      call('PATCH', `/v1/${name}?updateMask=display_name`, token, { displayName, etag });
    assert.equal((await change(ada, 'One')).status, 200);
    const second = await change(bob, 'Two');
    assert.deepEqual([second.status, second.json.code], [409, 10]);
    assert.equal((await call('GET', `/v1/${name}`, bob)).json.workspace.displayName, 'One');
    assert.equal((await call('DELETE', `/v1/${name}?etag=${encodeURIComponent(etag)}`, ada)).status, 409);
  });

  it('are listed page by page, the newest first, with one of their own and the global one, and counted', async () => {
    const token = tokenOf('cleo');
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      later(1);
      made.push(await world.make('cleo'));
    }
    later(1);
    const seen: string[] = [];
    let pageToken = '';
    do {
      const { json } = await call('GET', `/v1/workspaces?pageSize=3&pageToken=${pageToken}`, token);
      assert.ok(json.workspaces.length <= 3 && seen.length < 7);
      seen.push(...json.workspaces.map((each: { name: string }) => each.name));
      pageToken = json.nextPageToken;
    } while (pageToken !== '');
    const personal = (await call('GET', '/v1/workspaces/default', token)).json.workspace.name;
    const global = (await call('GET', '/v1/workspaces/global', token)).json.workspace.name;
    // The global one is as old as the database, which has a clock of its own here.
    assert.ok(seen.includes(global));
    assert.deepEqual(
      seen.filter((name) => name !== global),
      [personal, ...made.toReversed()],
    );
    assert.deepEqual((await call('GET', '/v1/workspaces:count', token)).json, { totalSize: '7' });
  });

  it('are filtered and sorted as the client of MLOps asks, in lists and counts alike', async () => {
    const token = tokenOf('dan');
    for (const [displayName, description] of [
      ["o'brien", 'b'],
      ['Beta', 'a'],
      ['alpha', 'a'],
    ])
      await call('POST', '/v1/workspaces', token, { displayName, description });
    const ask = async (filter: string, orderBy = '') => {
      const query = `filter=${encodeURIComponent(filter)}&orderBy=${encodeURIComponent(orderBy)}`;
      const found: string[] = [];
      let pageToken = '';
      do {
        const { status, json } = await call(
          'GET',
          `/v1/workspaces?${query}&pageSize=1&pageToken=${pageToken}`,
          token,
        );
        assert.equal(status, 200, JSON.stringify(json));
        found.push(...json.workspaces.map((each: { displayName: string }) => each.displayName));
        assert.ok(found.length <= 5, 'more than there are');
        pageToken = json.nextPageToken;
      } while (pageToken !== '');
      const counted = await call('GET', `/v1/workspaces:count?filter=${encodeURIComponent(filter)}`, token);
      assert.equal(counted.json.totalSize, String(found.length));
      return found;
    };
    assert.deepEqual(await ask("display_name = 'o'brien'"), ["o'brien"]);
    assert.deepEqual(await ask("description = 'a'", 'display_name'), ['alpha', 'Beta']);
    assert.deepEqual(await ask("description in ['a', 'b'] AND display_name != 'Beta'", 'description desc'), [
      "o'brien",
      'alpha',
    ]);
    assert.deepEqual(
      await ask("create_time > timestamp('2030-01-02T03:04:05.000000Z') OR display_name:'ALPH'"),
      ['alpha'],
    );
    const since = "update_time > timestamp('2030-01-02T03:04:05.000000Z') OR display_name:'ALPH'";
    assert.deepEqual(await ask(since, 'update_time desc'), ['alpha']);
    assert.deepEqual(await ask("personal_workspace_subject = 'sub-dan'"), ['Personal workspace of dan']);
    for (const wrong of [
      'filter=role%20%3D%201',
      'orderBy=annotations',
      'filter=(',
      'pageToken=x',
      'pageSize=-1',
    ])
      assert.deepEqual((await call('GET', `/v1/workspaces?${wrong}`, token)).json.code, 3, wrong);
  });

  it('show an administrator of the platform all of them, when asked for, and without a role there', async () => {
    const name = await world.make('ada');
    const root = tokenOf('root', { roles: 'admin' });
    const names = async (query: string) =>
      (await call('GET', `/v1/workspaces?pageSize=1000${query}`, root)).json.workspaces.map(
        (each: { name: string }) => each.name,
      );
    assert.ok(!(await names('')).includes(name));
    assert.ok((await names('&showAll=True')).includes(name));
    assert.equal((await call('GET', `/v1/${name}`, root)).json.workspace.role, 'ROLE_UNSPECIFIED');
    await assert.rejects(
      world.workspaces.client.accessOf(
        { subject: 'sub-root', username: 'root', roles: ['admin'], groups: [] },
        name,
      ),
      { code: 'not_found' },
      'seeing that it is there is no way to what is in it',
    );
    assert.equal((await call('GET', '/v1/workspaces?showAll=true', ada)).status, 403);
  });

  it('that are deleted are gone for all but who can restore them, and come back as they were', async () => {
    const name = await world.make('ada', { 'users/sub-bob': 'ROLE_EDITOR' });
    const deleted = await call('DELETE', `/v1/${name}`, ada);
    const { deleteTime, purgeTime, deleter } = deleted.json.workspace;
    assert.equal(deleter, 'users/sub-ada');
    assert.equal(Date.parse(purgeTime) - Date.parse(deleteTime), 30 * 24 * 3600 * 1000);
    const listed = async (token: string, query: string) =>
      (await call('GET', `/v1/workspaces?pageSize=1000${query}`, token)).json.workspaces.some(
        (each: { name: string }) => each.name === name,
      );
    assert.deepEqual(
      [
        await listed(ada, ''),
        await listed(ada, '&state=WORKSPACE_STATE_DELETED'),
        await listed(bob, '&state=2'),
      ],
      [false, true, false],
    );
    assert.equal((await call('GET', `/v1/${name}`, ada)).status, 200);
    assert.equal((await call('GET', `/v1/${name}`, bob)).status, 404);
    assert.match((await call('DELETE', `/v1/${name}`, ada)).json.message, /Restore it first/);
    assert.equal((await call('POST', `/v1/${name}:undelete`, bob, {})).status, 404);
    const restored = await call('POST', `/v1/${name}:undelete`, ada, {});
    assert.equal(restored.json.workspace.deleteTime, undefined);
    assert.equal((await call('GET', `/v1/${name}`, bob)).json.workspace.role, 'ROLE_EDITOR');
    assert.match((await call('POST', `/v1/${name}:undelete`, ada, {})).json.message, /not deleted/);
  });

  it('are purged when their thirty days are over, and not a moment before', async () => {
    const name = await world.make('ada');
    await call('DELETE', `/v1/${name}`, ada);
    later(30 * 24 * 3600 * 1000 - 1);
    await world.workspaces.sweep();
    assert.equal((await call('GET', `/v1/${name}`, ada)).status, 200);
    later(1);
    assert.equal((await call('POST', `/v1/${name}:undelete`, ada, {})).status, 404);
    await world.workspaces.sweep();
    assert.equal((await call('GET', `/v1/${name}`, ada)).status, 404);
    assert.equal(world.audited.at(-1)?.action, 'actions/workspaceserver/workspaces/PURGE');
    assert.equal(world.audited.at(-1)?.principal, 'services/workspaces');
  });

  it('are recorded with every change that was refused, of whom and why', async () => {
    const name = await world.make('ada', { 'users/sub-bob': 'ROLE_VIEWER' });
    const { name: member } = await world.memberNamed(name, 'users/sub-bob', ada);
    for (const [method, at, token, body, said] of [
      ['PATCH', `/v1/${name}?updateMask=description`, bob, {}, `users/sub-bob workspaces/UPDATE ${name} 7`],
      ['PATCH', `/v1/${name}?updateMask=nothing`, ada, {}, `users/sub-ada workspaces/UPDATE ${name} 3`],
      ['DELETE', `/v1/${name}`, tokenOf('cleo'), undefined, `users/sub-cleo workspaces/DELETE ${name} 5`],
      ['DELETE', `/v1/${name}`, '', undefined, `users/unknown workspaces/DELETE ${name} 16`],
      ['PATCH', `/v1/${member}`, bob, { role: 'ROLE_OWNER' }, `users/sub-bob members/UPDATE ${member} 7`],
    ] as const) {
      world.audited.length = 0;
      await call(method, at, token, body);
      assert.deepEqual(
        world.audited.map(({ principal, action, resource, status }) =>
          [principal, action, resource, status?.code].join(' '),
        ),
        [said.replace(/ (\w+\/[A-Z]+) /, ' actions/workspaceserver/$1 //workspaceserver/')],
        `${method} ${at}`,
      );
    }
  });

  it('are recorded with everything that is done to them, by whom and from where', async () => {
    world.audited.length = 0;
    const name = await world.make('ada', { 'users/sub-bob': 'ROLE_VIEWER' });
    await call('PATCH', `/v1/${name}?updateMask=description`, ada, { description: 'x' });
    const { name: member } = await world.memberNamed(name, 'users/sub-bob', ada);
    await call('PATCH', `/v1/${member}`, ada, { role: 'ROLE_EDITOR' });
    await call('POST', `/v1/${name}:leave`, bob, {});
    await call('DELETE', `/v1/${name}`, ada);
    await call('POST', `/v1/${name}:undelete`, ada, {});
    assert.deepEqual(
      world.audited.map(({ action, principal }) => `${action.split('/').slice(2).join(' ')} ${principal}`),
      [
        'workspaces CREATE users/sub-ada',
        'members CREATE users/sub-ada',
        'workspaces UPDATE users/sub-ada',
        'members UPDATE users/sub-ada',
        'members LEAVE users/sub-bob',
        'workspaces DELETE users/sub-ada',
        'workspaces UNDELETE users/sub-ada',
      ],
    );
    assert.ok(world.audited.every(({ resource }) => resource?.startsWith(`//workspaceserver/${name}`)));
    assert.deepEqual(world.audited[3]?.metadata, {
      ...{ member: 'users/sub-bob', role: 'editor', former_role: 'viewer' },
    });
  });

  it('refuse what nothing could hold', async () => {
    const create = (body: unknown) => call('POST', '/v1/workspaces', ada, body);
    for (const body of [
      {},
      { displayName: '  ' },
      { displayName: 'x'.repeat(121) },
      { displayName: 'a\nb' },
      { displayName: 'a\u0000b' },
      { displayName: 'x', description: 'x'.repeat(4001) },
      { displayName: 'x', description: '\u0000' },
      { displayName: 'x', annotations: { '': 'x' } },
      { displayName: 'x', annotations: { a: '\u0000' } },
      { displayName: 'x', annotations: { a: 'x'.repeat(65_537) } },
    ]) {
      const { status, json } = await create(body);
      assert.deepEqual([status, json.code], [400, 3], JSON.stringify(body).slice(0, 60));
    }
    assert.equal((await create({ displayName: '𝔉raud ✓', annotations: { '✓': '𝔉' } })).status, 200);
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestWorkspaces, type TestWorkspaces, tokenOf } from './testing.ts';

const [ada, bob, cleo] = [tokenOf('ada'), tokenOf('bob'), tokenOf('cleo')];

describe('members', () => {
  let world: TestWorkspaces;
  before(async () => {
    world = await startTestWorkspaces();
  });
  after(() => world.stop());
  const call: TestWorkspaces['call'] = (...args) => world.call(...args);
  const add = (name: string, token: string, member: string, role: string) =>
    call('POST', `/v1/${name}/members`, token, { member, role });
  const member = async (workspace: string, who: string) =>
    (await world.memberNamed(workspace, who, ada)).name as string;
  const roleOf = async (name: string, token: string) => {
    const { status, json } = await call('GET', `/v1/${name}`, token);
    return status === 200 ? json.workspace.role : status;
  };

  it('are people, with their names, and groups; each only once, and nobody whom nobody knows', async () => {
    const name = await world.make('ada');
    const added = await add(name, ada, 'users/sub-bob', 'ROLE_VIEWER');
    const { name: own, createTime, updateTime, ...rest } = added.json.member;
    assert.match(own, /^workspaces\/[0-9a-f-]{36}\/members\/[0-9a-f-]{36}$/);
    assert.equal(createTime, updateTime);
    assert.deepEqual(rest, {
      ...{
        member: 'users/sub-bob',
        role: 'ROLE_VIEWER',
        displayName: 'bob of the firm',
        loginPrincipal: 'bob',
      },
      ...{ active: true, creator: 'users/sub-ada', updater: 'users/sub-ada', etag: '"1"' },
    });
    assert.deepEqual((await add(name, ada, 'groups/red', 'ROLE_EDITOR')).json.member.displayName, 'red');
    const again = await add(name, ada, 'users/sub-bob', 'ROLE_EDITOR');
    assert.deepEqual([again.status, again.json.code], [409, 6]);
    for (const wrong of [
      'users/sub-nobody',
      'groups/green',
      'bob',
      'users/',
      'roles/admin',
      '',
      'users/\u0000',
    ])
      assert.equal((await add(name, ada, wrong, 'ROLE_VIEWER')).status, 400, wrong);
    assert.equal((await add(name, ada, 'users/sub-cleo', 'ROLE_UNSPECIFIED')).status, 400);
  });

  it('by a group are in as long as their token names it, with the highest of what they were given', async () => {
    const name = await world.make('ada', { 'groups/red': 'ROLE_VIEWER', 'groups/blue': 'ROLE_EDITOR' });
    const of = (groups: string) => roleOf(name, tokenOf('bob', { groups }));
    assert.deepEqual(
      [await of(''), await of('red'), await of('red+blue'), await of('green')],
      [404, 'ROLE_VIEWER', 'ROLE_EDITOR', 404],
    );
    // A user of the name of a group is nobody special.
    assert.equal(await roleOf(name, tokenOf('red')), 404);
    const leaving = await call('POST', `/v1/${name}:leave`, tokenOf('bob', { groups: 'red' }), {});
    assert.match(leaving.json.message, /by a group/);
  });

  it('grant no more than they have, and touch nobody who has more', async () => {
    const name = await world.make('ada', { 'users/sub-bob': 'ROLE_ADMIN', 'users/sub-cleo': 'ROLE_EDITOR' });
    const owner = await member(name, 'users/sub-ada');
    const [own, editor] = [await member(name, 'users/sub-bob'), await member(name, 'users/sub-cleo')];
    const statuses = async (...calls: Promise<{ status: number }>[]) =>
      (await Promise.all(calls)).map(({ status }) => status);
    assert.deepEqual(
      await statuses(
        add(name, bob, 'users/sub-dan', 'ROLE_OWNER'),
        call('PATCH', `/v1/${own}`, bob, { role: 'ROLE_OWNER' }),
        call('PATCH', `/v1/${editor}`, bob, { role: 'ROLE_OWNER' }),
        call('PATCH', `/v1/${owner}`, bob, { role: 'ROLE_VIEWER' }),
        call('DELETE', `/v1/${owner}`, bob),
        add(name, cleo, 'users/sub-dan', 'ROLE_VIEWER'),
        call('DELETE', `/v1/${own}`, cleo),
      ),
      [403, 403, 403, 403, 403, 403, 403],
    );
    assert.equal((await add(name, bob, 'users/sub-dan', 'ROLE_ADMIN')).status, 200);
    assert.equal((await call('PATCH', `/v1/${editor}`, bob, { role: 'ROLE_VIEWER' })).status, 200);
    assert.equal((await call('DELETE', `/v1/${editor}`, bob)).status, 200);
    assert.equal(await roleOf(name, cleo), 404);
  });

  it('leave by themselves, but for the last owner, who is neither removed nor demoted', async () => {
    const name = await world.make('ada', { 'users/sub-bob': 'ROLE_VIEWER', 'groups/red': 'ROLE_OWNER' });
    assert.equal((await call('POST', `/v1/${name}:leave`, bob, {})).status, 200);
    assert.equal(await roleOf(name, bob), 404);
    const own = await member(name, 'users/sub-ada');
    const attempts = [
      await call('POST', `/v1/${name}:leave`, ada, {}),
      await call('PATCH', `/v1/${own}`, ada, { role: 'ROLE_ADMIN' }),
      // A group that owns it is no owner who is sure to stay.
      await call('DELETE', `/v1/${own}`, tokenOf('dan', { groups: 'red' })),
    ];
    assert.deepEqual(
      attempts.map(({ status, json }) => [status, json.message.slice(0, 26)]),
      Array(3).fill([409, 'This is the last owner of ']),
    );
    assert.equal(await roleOf(name, ada), 'ROLE_OWNER');
    await add(name, ada, 'users/sub-cleo', 'ROLE_OWNER');
    assert.equal((await call('POST', `/v1/${name}:leave`, ada, {})).status, 200);
    assert.equal(await roleOf(name, cleo), 'ROLE_OWNER');
  });

  it('keep an owner when two owners demote each other at the same instant', async () => {
    for (let round = 0; round < 5; round++) {
      const name = await world.make('ada', { 'users/sub-bob': 'ROLE_OWNER' });
      const [first, second] = [await member(name, 'users/sub-ada'), await member(name, 'users/sub-bob')];
      const done = await Promise.all([
        call('PATCH', `/v1/${second}`, ada, { role: 'ROLE_VIEWER' }),
        call('PATCH', `/v1/${first}`, bob, { role: 'ROLE_VIEWER' }),
      ]);
      assert.deepEqual(done.map(({ status }) => status).sort(), [200, 403]);
    }
  });

  it('are changed by one of two administrators who read them at the same time', async () => {
    const name = await world.make('ada', { 'users/sub-bob': 'ROLE_ADMIN', 'users/sub-cleo': 'ROLE_VIEWER' });
    const { name: own, etag } = await world.memberNamed(name, 'users/sub-cleo', ada);
    const masked = (mask: string, body: object) =>
      call('PATCH', `/v1/${own}?updateMask=${mask}`, ada, { etag, ...body });
    assert.match((await masked('member', { member: 'users/x' })).json.message, /"member" never changes/);
    assert.match((await masked('nothing', {})).json.message, /"nothing" is no field/);
    assert.match((await masked('role', {})).json.message, /Say which role/);
    assert.equal((await masked('role', { role: 'ROLE_EDITOR' })).status, 200);
    assert.equal((await call('PATCH', `/v1/${own}`, bob, { role: 'ROLE_ADMIN', etag })).status, 409);
    assert.equal((await call('DELETE', `/v1/${own}?etag=${encodeURIComponent(etag)}`, bob)).status, 409);
    assert.equal(await roleOf(name, cleo), 'ROLE_EDITOR');
  });

  it('are found page by page, and not by the name of another workspace', async () => {
    const name = await world.make('ada');
    for (let i = 0; i < 7; i++) {
      world.addPerson(`p${i}`);
      await add(name, ada, `users/sub-p${i}`, 'ROLE_VIEWER');
    }
    const seen: string[] = [];
    let pageToken = '';
    do {
      const { json } = await call('GET', `/v1/${name}/members?pageSize=3&pageToken=${pageToken}`, ada);
      seen.push(...json.members.map((each: { loginPrincipal: string }) => each.loginPrincipal));
      pageToken = json.nextPageToken;
    } while (pageToken !== '');
    assert.deepEqual(seen, ['ada', 'p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6']);
    const other = await world.make('ada');
    const own = (await member(name, 'users/sub-p0')).split('/').at(-1);
    assert.equal((await call('DELETE', `/v1/${other}/members/${own}`, ada)).status, 404);
  });

  it('are put in by an administrator of the platform when every owner is gone, which is recorded', async () => {
    world.addPerson('gone');
    const name = await world.make('gone', { 'users/sub-bob': 'ROLE_EDITOR' });
    const root = tokenOf('root', { roles: 'admin' });
    const assign = (token: string, owner: string) =>
      call('POST', `/v1/${name}:assignOwner`, token, { owner });
    assert.equal((await assign(root, 'users/sub-bob')).status, 409);
    world.addPerson('gone', true);
    assert.equal((await assign(bob, 'users/sub-bob')).status, 403);
    assert.equal(
      (await assign(tokenOf('root', { roles: 'admin', kind: 'app' }), 'users/sub-bob')).status,
      403,
    );
    assert.equal((await assign(root, 'users/sub-gone')).status, 400);
    assert.equal((await assign(root, 'groups/red')).status, 400);
    assert.equal((await assign(root, 'users/sub-bob')).status, 200);
    assert.equal(await roleOf(name, bob), 'ROLE_OWNER');
    const recorded = world.audited.at(-1);
    assert.equal(recorded?.action, 'actions/workspaceserver/workspaces/ASSIGN_OWNER');
    assert.deepEqual(recorded?.metadata, { owner: 'users/sub-bob', former_owners: 'sub-gone' });
    // Nothing is lost meanwhile: the former owner has it again when they come back.
    world.addPerson('gone');
    assert.equal(await roleOf(name, tokenOf('gone')), 'ROLE_OWNER');
    assert.equal((await assign(root, 'users/sub-cleo')).status, 409);
  });
});

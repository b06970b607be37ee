import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { WorkspaceActor } from './client.ts';
import { startTestWorkspaces, type TestWorkspaces, tokenOf } from './testing.ts';

const ada = tokenOf('ada');
const bob = tokenOf('bob');
const root = tokenOf('root', { roles: 'admin' });

const actor = (username: string, roles = ['user']): WorkspaceActor => ({
  ...{ subject: `sub-${username}`, username, roles, groups: [] },
});

describe('the personal workspace', () => {
  let world: TestWorkspaces;
  before(async () => {
    world = await startTestWorkspaces();
  });
  after(() => world.stop());
  const call: TestWorkspaces['call'] = (...args) => world.call(...args);

  it('is made once, however many ask for it at once, in two processes', async () => {
    const other = await world.another();
    try {
      const asked = Array.from({ length: 30 }, (_, i) =>
        (i % 2 === 0 ? world : other).workspaces.client.accessOf(actor('dan'), 'workspaces/default'),
      );
      const names = new Set((await Promise.all(asked)).map(({ workspace, role }) => `${workspace} ${role}`));
      assert.equal(names.size, 1, [...names].join());
      const made = world.audited.filter(({ principal }) => principal === 'users/sub-dan');
      assert.deepEqual(
        made.map(({ action }) => action),
        ['actions/workspaceserver/workspaces/CREATE'],
      );
    } finally {
      await other.stop();
    }
  });

  it('is another for everybody, and nobody else learns of it', async () => {
    const of = async (token: string) => (await call('GET', '/v1/workspaces/default', token)).json.workspace;
    const own = await of(ada);
    assert.notEqual(own.name, (await of(bob)).name);
    assert.deepEqual(
      [own.personalWorkspaceSubject, own.kind, own.role, own.displayName],
      ['sub-ada', 'WORKSPACE_KIND_PERSONAL', 'ROLE_OWNER', 'Personal workspace of ada'],
    );
    assert.equal((await call('GET', `/v1/${own.name}`, bob)).status, 404);
    assert.equal((await of(tokenOf('ada', { kind: 'app' }))).name, own.name, 'an app acts for its person');
  });

  it('cannot be deleted, shared or left, and is described like any other', async () => {
    const add = { member: 'users/sub-bob', role: 'ROLE_VIEWER' };
    const attempts = [
      await call('DELETE', '/v1/workspaces/default', ada),
      await call('POST', '/v1/workspaces/default/members', ada, add),
      await call('POST', '/v1/workspaces/default:leave', ada, {}),
    ];
    assert.deepEqual(
      attempts.map(({ status, json }) => [status, json.code]),
      Array(3).fill([409, 10]),
    );
    const renamed = await call('PATCH', '/v1/workspaces/default?updateMask=display_name', ada, {
      displayName: 'Mine',
    });
    assert.equal(renamed.json.workspace.displayName, 'Mine');
  });

  it('is not for visitors, who use what they are invited to', async () => {
    const vic = tokenOf('vic', { roles: 'visitor' });
    assert.equal((await call('GET', '/v1/workspaces/default', vic)).status, 404);
    assert.deepEqual((await call('GET', '/v1/workspaces', vic)).json.workspaces, []);
    const name = await world.make('ada', { 'users/sub-vic': 'ROLE_VIEWER' });
    assert.equal((await call('GET', `/v1/${name}`, vic)).json.workspace.role, 'ROLE_VIEWER');
  });

  it('of who is gone is handed over as one like any other; who comes back gets a new one', async () => {
    world.addPerson('eve');
    const { name } = (await call('GET', '/v1/workspaces/default', tokenOf('eve'))).json.workspace;
    assert.equal(
      (await call('POST', `/v1/${name}:assignOwner`, root, { owner: 'users/sub-bob' })).status,
      409,
    );
    world.addPerson('eve', true);
    const handed = await call('POST', `/v1/${name}:assignOwner`, root, { owner: 'users/sub-bob' });
    assert.deepEqual(
      [handed.json.workspace.kind, handed.json.workspace.personalWorkspaceSubject],
      ['WORKSPACE_KIND_SHARED', undefined],
    );
    assert.equal((await call('GET', `/v1/${name}`, bob)).json.workspace.role, 'ROLE_OWNER');
    world.addPerson('eve');
    assert.notEqual((await call('GET', '/v1/workspaces/default', tokenOf('eve'))).json.workspace.name, name);
    const kept = await world.workspaces.client.accessOf(actor('eve'), 'workspaces/default');
    assert.notEqual(kept.workspace, name, 'also where answers are kept');
  });
});

describe('the global workspace', () => {
  let world: TestWorkspaces;
  before(async () => {
    world = await startTestWorkspaces();
  });
  after(() => world.stop());
  const call: TestWorkspaces['call'] = (...args) => world.call(...args);
  const role = async (token: string) => {
    const { status, json } = await call('GET', '/v1/workspaces/global', token);
    return status === 200 ? json.workspace.role : status;
  };

  it('is viewed by all with full access and looked after by administrators, who make others editors', async () => {
    assert.deepEqual(
      [await role(ada), await role(root), await role(tokenOf('vic', { roles: 'visitor' }))],
      ['ROLE_VIEWER', 'ROLE_ADMIN', 404],
    );
    const added = await call('POST', '/v1/workspaces/global/members', root, {
      ...{ member: 'users/sub-bob', role: 'ROLE_EDITOR' },
    });
    assert.equal(added.status, 200);
    assert.equal(await role(bob), 'ROLE_EDITOR');
    assert.equal((await call('POST', '/v1/workspaces/global:leave', ada, {})).status, 409);
    assert.equal((await call('POST', '/v1/workspaces/global:leave', bob, {})).status, 200);
    assert.equal(await role(bob), 'ROLE_VIEWER');
  });

  it('is administered by no app that acts for an administrator', async () => {
    const app = tokenOf('root', { roles: 'admin', kind: 'app' });
    assert.equal(await role(app), 'ROLE_VIEWER');
    assert.equal(
      (await call('PATCH', '/v1/workspaces/global?updateMask=description', app, { description: 'x' })).status,
      403,
    );
  });

  it('cannot be deleted', async () => {
    const { status, json } = await call('DELETE', '/v1/workspaces/global', root);
    assert.deepEqual(
      [status, json.message],
      [409, "The global workspace is everybody's and cannot be deleted."],
    );
  });
});

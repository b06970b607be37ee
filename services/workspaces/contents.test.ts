import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '@haic/kit/deadline.ts';
import type { WorkspaceContents } from './client.ts';
import { startTestWorkspaces, type TestWorkspaces, tokenOf } from './testing.ts';

const ada = tokenOf('ada');
const monthMs = 30 * 24 * 3600 * 1000;

/** A service that holds content: what it was told, and what it cannot do now. */
function holder(
  name: string,
): WorkspaceContents & { asked: string[]; told: string[]; away: boolean; slow?: Promise<void> } {
  const hear = async (what: string, workspace: string) => {
    self.asked.push(`${what} ${workspace}`);
    await self.slow;
    if (self.away) throw new Error('The disk is away.');
    self.told.push(`${what} ${workspace}`);
  };
  const self: ReturnType<typeof holder> = {
    ...{ holder: name, asked: [], told: [], away: false },
    whenDeleted: (workspace) => hear('deleted', workspace),
    whenRestored: (workspace) => hear('restored', workspace),
    purge: (workspace) => hear('purge', workspace),
  };
  return self;
}

describe('services that hold content of workspaces', () => {
  let now = new Date();
  let world: TestWorkspaces;
  const models = holder('models');
  const secrets = holder('secrets');
  before(async () => {
    world = await startTestWorkspaces({ clock: () => now });
    world.workspaces.holds(models);
    world.workspaces.holds(secrets);
  });
  after(() => world.stop());

  const idOf = (name: string) => name.replace('workspaces/', '');
  const status = async (name: string) => (await world.call('GET', `/v1/${name}`, ada)).status;
  const remove = (name: string) => world.call('DELETE', `/v1/${name}`, ada);
  const restore = (name: string) => world.call('POST', `/v1/${name}:undelete`, ada, {});

  it('are told what becomes of them, in this order, each once', async () => {
    const name = await world.make('ada');
    await remove(name);
    await world.workspaces.sweep();
    assert.equal(await world.workspaces.exists(idOf(name)), true, 'it can be restored');
    await restore(name);
    await world.workspaces.sweep();
    await remove(name);
    await world.workspaces.sweep();
    now = new Date(now.getTime() + monthMs);
    await world.workspaces.sweep();
    const all = ['deleted', 'restored', 'deleted', 'purge'].map((what) => `${what} ${name}`);
    assert.deepEqual(models.told, all);
    assert.deepEqual(secrets.told, all);
    assert.equal(await status(name), 404);
    assert.equal(await world.workspaces.exists(idOf(name)), false);
  });

  it('are told again until they have done their part, and nothing is gone before all of them have', async () => {
    const name = await world.make('ada');
    models.told.length = 0;
    models.away = true;
    await remove(name);
    await world.workspaces.sweep();
    assert.equal(secrets.told.at(-1), `deleted ${name}`, 'one that is away holds up no other');
    now = new Date(now.getTime() + monthMs);
    await world.workspaces.sweep();
    assert.equal(secrets.told.at(-1), `purge ${name}`);
    assert.equal(await status(name), 200, 'its content is there, so it is');
    assert.equal((await restore(name)).status, 404, 'but half of it is gone');
    models.away = false;
    await world.workspaces.sweep();
    assert.deepEqual(models.told, [`purge ${name}`], 'what came before has no meaning any more');
    assert.equal(await status(name), 404);
  });

  it('never hear of a deletion after it was undone', async () => {
    const name = await world.make('ada');
    models.told.length = 0;
    const gate = Promise.withResolvers<void>();
    models.slow = gate.promise;
    await remove(name);
    // Else it would, rightly, hear of the restoring alone.
    await until(() => (models.asked.includes(`deleted ${name}`) ? true : undefined), {
      everyMs: 2,
      signal: AbortSignal.timeout(10_000),
    });
    await restore(name);
    gate.resolve();
    delete models.slow;
    await world.workspaces.sweep();
    assert.deepEqual(models.told, [`deleted ${name}`, `restored ${name}`]);
  });

  it('are told by another process what one that was killed had still to tell', async () => {
    const name = await world.make('ada');
    secrets.away = true;
    await remove(name);
    const other = await world.another();
    const heir = holder('secrets');
    other.workspaces.holds(heir);
    await other.workspaces.sweep();
    assert.deepEqual(heir.told, [`deleted ${name}`]);
    await other.stop();
  });
});

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { createAccessCache } from './access-cache.ts';
import { createHttpWorkspacesClient, type WorkspaceActor, type WorkspacesClient } from './client.ts';
import { startTestWorkspaces, type TestWorkspaces, tokenOf } from './testing.ts';

const ada = tokenOf('ada');
const actor = (username: string, more: Partial<WorkspaceActor> = {}): WorkspaceActor => ({
  ...{ subject: `sub-${username}`, username, roles: ['user'], groups: [] },
  ...more,
});

/** A service that asks, as it would be composed: in the process of workspaces, and in one of its own. */
const ways: Readonly<
  Record<string, (world: TestWorkspaces) => Promise<{ client: WorkspacesClient; stop(): Promise<void> }>>
> = {
  'in memory': async (world) => ({ client: world.workspaces.client, stop: async () => {} }),
  'in another process that has the database': async (world) => {
    const { workspaces, stop } = await world.another();
    return { client: workspaces.client, stop };
  },
  'over HTTP, from another process': async (world) => {
    const database = connectPostgres({ url: world.url, applicationName: 'asking', maxConnections: 1 });
    const inner = createHttpWorkspacesClient({
      ...{ baseUrl: world.base, fetch, token: async () => 'secrets//service/' },
    });
    const cache = await createAccessCache({ inner, database });
    return {
      client: cache,
      stop: async () => {
        await cache.stop();
        await database.close();
      },
    };
  },
};

for (const [way, connect] of Object.entries(ways))
  describe(`what other services ask of workspaces, ${way}`, () => {
    let world: TestWorkspaces;
    let client: WorkspacesClient;
    let stop: () => Promise<void>;
    before(async () => {
      world = await startTestWorkspaces();
    });
    after(() => world.stop());
    beforeEach(async () => {
      ({ client, stop } = await connect(world));
    });
    afterEach(() => stop());

    /** The answer, or the code of the refusal, once it is `wanted`; what it is still after a second. */
    async function roleOf(who: WorkspaceActor, name: string, wanted?: string): Promise<string> {
      const end = Date.now() + 1000;
      for (;;) {
        const said = await client.accessOf(who, name).then(
          ({ role }) => role,
          (error: { code: string }) => error.code,
        );
        if (wanted === undefined || said === wanted || Date.now() > end) return said;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }

    it('is who somebody is there, and nothing to others', async () => {
      const name = await world.make('ada', { 'users/sub-bob': 'ROLE_EDITOR', 'groups/red': 'ROLE_ADMIN' });
      assert.deepEqual(await client.accessOf(actor('ada'), name), { workspace: name, role: 'owner' });
      assert.equal(await roleOf(actor('bob'), name), 'editor');
      assert.equal(await roleOf(actor('bob', { groups: ['red'] }), name), 'admin');
      assert.equal(await roleOf(actor('cleo'), name), 'not_found');
      assert.equal(await roleOf(actor('root', { roles: ['admin'] }), name), 'not_found');
      for (const wrong of [
        '',
        'workspaces/',
        'workspaces/x',
        'workspaces/-',
        name.toUpperCase(),
        `${name}/x`,
        'x',
      ])
        assert.equal(await roleOf(actor('ada'), wrong || ' '), 'not_found', wrong);
    });

    it('knows the aliases, and never answers one', async () => {
      const own = await client.accessOf(actor('ada'), 'workspaces/default');
      assert.match(own.workspace, /^workspaces\/[0-9a-f-]{36}$/);
      assert.equal(own.role, 'owner');
      assert.deepEqual(await client.accessOf(actor('ada'), own.workspace), own);
      const global = await client.accessOf(actor('bob'), 'workspaces/global');
      assert.deepEqual(global, {
        workspace: 'workspaces/00000000-0000-4000-8000-000000000001',
        role: 'viewer',
      });
      assert.equal(await roleOf(actor('root', { roles: ['admin'] }), 'workspaces/global'), 'admin');
      assert.equal(
        await roleOf(actor('root', { roles: ['admin'], partyKind: 'app' }), 'workspaces/global'),
        'viewer',
      );
      assert.equal(await roleOf(actor('vic', { roles: ['visitor'] }), 'workspaces/global'), 'not_found');
    });

    it('lists all that somebody is in', async () => {
      const name = await world.make('dan', { 'groups/blue': 'ROLE_VIEWER' });
      const of = async (who: WorkspaceActor) =>
        (await client.workspacesOf(who)).find(({ workspace }) => workspace === name)?.role;
      assert.deepEqual(
        [await of(actor('dan')), await of(actor('bob', { groups: ['blue'] })), await of(actor('bob'))],
        ['owner', 'viewer', undefined],
      );
    });

    it('is revoked at once, however often it was asked before', async () => {
      const name = await world.make('ada', { 'users/sub-bob': 'ROLE_EDITOR' });
      const member = (await world.memberNamed(name, 'users/sub-bob', ada)).name;
      assert.equal(await roleOf(actor('bob'), name), 'editor');
      assert.ok((await client.workspacesOf(actor('bob'))).some(({ workspace }) => workspace === name));
      await world.call('PATCH', `/v1/${member}`, ada, { role: 'ROLE_VIEWER' });
      assert.equal(await roleOf(actor('bob'), name, 'viewer'), 'viewer');
      await world.call('DELETE', `/v1/${member}`, ada);
      assert.equal(await roleOf(actor('bob'), name, 'not_found'), 'not_found');
      assert.ok(!(await client.workspacesOf(actor('bob'))).some(({ workspace }) => workspace === name));
    });

    it('ends for everybody with the workspace, and begins again when it is restored', async () => {
      const name = await world.make('ada', { 'users/sub-bob': 'ROLE_EDITOR' });
      assert.equal(await roleOf(actor('bob'), name), 'editor');
      assert.equal(await roleOf(actor('ada'), name), 'owner');
      await world.call('DELETE', `/v1/${name}`, ada);
      assert.equal(await roleOf(actor('bob'), name, 'not_found'), 'not_found');
      assert.equal(await roleOf(actor('ada'), name, 'not_found'), 'not_found');
      await world.call('POST', `/v1/${name}:undelete`, ada, {});
      assert.equal(await roleOf(actor('bob'), name, 'editor'), 'editor');
    });

    it('goes by the groups of the token at hand, and by no earlier one', async () => {
      const name = await world.make('ada', { 'groups/red': 'ROLE_VIEWER' });
      assert.equal(await roleOf(actor('cleo', { groups: ['red'] }), name), 'viewer');
      assert.equal(await roleOf(actor('cleo', { groups: ['blue'] }), name), 'not_found');
      assert.equal(await roleOf(actor('cleo', { groups: ['red'] }), name), 'viewer');
    });
  });

describe('answers that are kept', () => {
  let world: TestWorkspaces;
  before(async () => {
    world = await startTestWorkspaces();
  });
  after(() => world.stop());

  it('are not asked for again, and one that was on its way during a change is not kept', async () => {
    let asked = 0;
    let slow = Promise.withResolvers<void>();
    const inner: WorkspacesClient = {
      accessOf: async () => {
        asked += 1;
        const answer = { workspace: 'workspaces/1', role: asked === 1 ? 'editor' : 'viewer' } as const;
        await slow.promise;
        return answer;
      },
      workspacesOf: async () => [],
    };
    const cache = await createAccessCache({ inner, database: world.database });
    const before = cache.accessOf(actor('bob'), 'workspaces/1');
    cache.forget('1');
    slow.resolve();
    assert.equal((await before).role, 'editor', 'what was asked before the change');
    slow = Promise.withResolvers();
    slow.resolve();
    for (let i = 0; i < 3; i++)
      assert.equal((await cache.accessOf(actor('bob'), 'workspaces/1')).role, 'viewer');
    assert.equal(asked, 2);
    await cache.stop();
  });

  it('are let go when the connection that hears of changes was away', async () => {
    const other = await world.another();
    const name = await world.make('ada', { 'users/sub-bob': 'ROLE_EDITOR' });
    const access = () =>
      other.workspaces.client.accessOf(actor('bob'), name).then(
        ({ role }) => role as string,
        (error: { code: string }) => error.code,
      );
    assert.equal(await access(), 'editor');
    const ended = await world.database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'another' and query like 'listen%'`;
    assert.equal(ended.length, 1);
    const { name: member } = await world.memberNamed(name, 'users/sub-bob', ada);
    await world.call('DELETE', `/v1/${member}`, ada);
    const end = Date.now() + 4000;
    let said = await access();
    while (said !== 'not_found' && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      said = await access();
    }
    assert.equal(said, 'not_found', 'sooner than the answer would have ended by itself');
    await other.stop();
  });

  it('are for services of the platform only', async () => {
    const ask = (token: string) =>
      world.call('POST', '/internal/workspaces/access', token, {
        actor: actor('ada'),
        workspace: 'workspaces/default',
      });
    for (const token of [ada, tokenOf('root', { roles: 'admin' }), tokenOf('ada', { kind: 'app' })])
      assert.equal((await ask(token)).json.code, 'services_only');
    assert.equal((await ask('')).status, 401);
    assert.equal((await ask('core//service/')).status, 200);
  });
});

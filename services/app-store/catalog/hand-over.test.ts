import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { startTestCatalog, type TestCatalog } from './testing-server.ts';

const json = { 'content-type': 'application/json' };
const tokens = { anna: 'anna/user/portal', bela: 'bela/user/portal', admin: 'adm/admin/portal' };

describe('handing an app over', () => {
  let t: TestCatalog;
  before(async () => {
    t = await startTestCatalog(createFilesystemBlobStore, { versionLimit: 2 });
    for (const [username, roles, disabled] of [
      ['anna', ['user'], false],
      ['bela', ['user'], false],
      ['chief', ['admin'], false],
      ['vera', ['visitor'], false],
      ['gone', ['user'], true],
    ] as const)
      t.people.set(username, {
        subject: `sub-${username}`,
        username,
        name: username,
        email: '',
        roles,
        groups: [],
        disabled,
      });
  });
  after(() => t.stop());
  const give = (id: string, token: string, body: unknown) =>
    t.call('PATCH', `/api/v1/apps/${id}`, token, { body: JSON.stringify(body), headers: json });
  const statusOf = async (id: string, token: string) =>
    (await t.call('GET', `/api/v1/apps/${id}`, token)).status;

  it('a private app is the new owner’s alone at once, and the scheduler is told', async () => {
    const { id } = await t.importApp(tokens.anna);
    const answer = await give(id, tokens.anna, { owner: 'bela' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.canManage, false, 'who gave it away looks at it one last time');
    assert.equal(await statusOf(id, tokens.anna), 404);
    const theirs = await t.call('GET', `/api/v1/apps/${id}`, tokens.bela);
    assert.deepEqual([theirs.json.canManage, theirs.json.canRun], [true, true]);
    assert.deepEqual(t.handedOver, [`${id} sub-bela`]);
    const mine = await t.call('GET', '/api/v1/apps?mine=true&versions=all', tokens.bela);
    assert.ok(mine.json.items.some((app) => app.id === id));
    assert.equal((await give(id, tokens.bela, { owner: 'bela' })).status, 200);
    assert.equal(t.handedOver.length, 1, 'nothing happens where nothing changes');
  });

  it('by its owner or an administrator, and by no app', async () => {
    const { id } = await t.importApp(tokens.anna, { visibility: 'ALL_USERS' });
    for (const [token, status] of [
      [tokens.bela, 403],
      ['vis/visitor/portal', 404],
      ['anna/user/app', 403],
      ['adm/admin/app', 403],
      ['srv//service', 403],
      [tokens.admin, 200],
    ] as const)
      assert.equal((await give(id, token, { owner: 'bela' })).status, status, token);
  });

  it('to somebody who may own apps, and everybody else is refused with the same words', async () => {
    const { id } = await t.importApp(tokens.anna);
    for (const owner of ['vera', 'gone', 'nobody', '']) {
      const { status, json: problem } = await give(id, tokens.anna, { owner });
      assert.deepEqual([status, problem.code], [400, 'unsuitable_owner'], owner);
    }
    assert.equal((await give(id, tokens.anna, {})).json.code, 'nothing_to_change');
    assert.equal((await give(id, tokens.anna, { owner: 7 })).status, 400);
    assert.equal((await give(id, tokens.anna, { owner: 'chief', visibility: 'ALL_USERS' })).status, 200);
    assert.equal((await t.call('GET', `/api/v1/apps/${id}`, tokens.bela)).json.visibility, 'ALL_USERS');
  });

  it('the limit of versions refuses no gift, and then counts it', async () => {
    const name = 'gift';
    for (const version of ['1.0.0', '2.0.0']) await t.importApp(tokens.bela, { name, version });
    const third = await t.importApp(tokens.anna, { name, version: '3.0.0' });
    assert.equal((await give(third.id, tokens.anna, { owner: 'bela' })).status, 200);
    await t.importApp(tokens.anna, { name, version: '4.0.0' });
    await assert.rejects(t.importApp(tokens.bela, { name, version: '5.0.0' }), /app_version_limit_reached/);
  });

  it('an administrator lists by owner and visibility, and nobody sees more by it', async () => {
    const { id } = await t.importApp('dora/user/portal');
    const shared = await t.importApp('dora/user/portal', { visibility: 'PUBLIC' });
    const find = async (token: string, query: string) =>
      (await t.call('GET', `/api/v1/apps?versions=all&all=true${query}`, token)).json.items.map(
        (app) => app.id,
      );
    assert.deepEqual(await find(tokens.admin, '&owner=Dora'), [shared.id, id]);
    assert.deepEqual(await find(tokens.admin, '&owner=dora&visibility=PRIVATE'), [id]);
    assert.deepEqual(await find(tokens.bela, '&owner=dora'), [shared.id]);
    const owned = await t.catalog.client.appsOwnedBy({ subject: 'sub-dora' });
    assert.deepEqual(
      owned.map((app) => app.id),
      [shared.id, id],
    );
    assert.equal((await t.catalog.client.appsOwnedBy({ username: 'dora' })).length, 2);
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { startTestOcean, type TestOcean } from './testing.ts';

describe('quotas of one person or workspace', () => {
  let at: TestOcean;
  before(async () => {
    at = await startTestOcean(createFilesystemBlobStore, { quota: 1000 });
    at.roles.set('ada w1', 'owner');
    await at.put('ada', '_my', 'a.txt', 'x'.repeat(600));
    await at.put('ada', 'w1', 'b.txt', 'y'.repeat(300));
  });
  after(() => at.stop());

  const of = (who: string, holder: string) => at.api(who, 'GET', `/quotas/${holder}`);
  const fits = (bytes: number) =>
    at.put('ada', '_my', `more-${bytes}`, 'z'.repeat(bytes)).then(
      () => true,
      () => false,
    );

  it('are the installation’s, until an administrator gives more, less, no limit, or the usual again', async () => {
    const { json } = await of('admin', 'people/ada');
    assert.deepEqual(json, {
      usage: { bytes: 600, objects: 1, quota: 1000 },
      trash: { bytes: 0, objects: 0, quota: 1000 },
      isDefault: true,
    });
    assert.equal(await fits(500), false);
    const more = await at.api('admin', 'PUT', '/quotas/people/ada', { quota: 2000 });
    assert.deepEqual(
      [more.json.usage.quota, more.json.trash.quota, more.json.isDefault],
      [2000, 2000, false],
    );
    assert.equal(await fits(500), true);
    await at.api('admin', 'PUT', '/quotas/people/ada', { quota: 100 });
    assert.equal(await fits(1), false, 'what is there is more already');
    const unlimited = await at.api('admin', 'PUT', '/quotas/people/ada', { quota: null });
    assert.equal(unlimited.json.usage.quota, null);
    assert.equal(await fits(5000), true);
    const usual = await at.api('admin', 'DELETE', '/quotas/people/ada');
    assert.deepEqual([usual.json.usage.quota, usual.json.isDefault], [1000, true]);
    assert.deepEqual(
      at.told.filter(({ action }) => action.includes('/quotas/')).map(({ action }) => action),
      [
        ...['actions/drive/quotas/SET', 'actions/drive/quotas/SET', 'actions/drive/quotas/SET'],
        'actions/drive/quotas/RESET',
      ],
    );
  });

  it('of a workspace are told by its id, without what is in it', async () => {
    const { json } = await at.api('admin', 'PUT', '/quotas/workspaces/w1', { quota: 400 });
    assert.deepEqual(json.usage, { bytes: 300, objects: 1, quota: 400 });
    await assert.rejects(at.put('ada', 'w1', 'c.txt', 'y'.repeat(200)));
  });

  it('of a workspace are set before anything is put into it, too', async () => {
    at.roles.set('ada w2', 'owner');
    const { json } = await of('admin', 'workspaces/w2');
    assert.deepEqual([json.usage, json.isDefault], [{ bytes: 0, objects: 0, quota: 1000 }, true]);
    await at.api('admin', 'PUT', '/quotas/workspaces/w2', { quota: 10 });
    await assert.rejects(at.put('ada', 'w2', 'c.txt', 'y'.repeat(11)));
    await at.put('ada', 'w2', 'c.txt', 'y'.repeat(10));
  });

  it('are nobody’s business but administrators’, and of nobody who is not there', async () => {
    for (const holder of ['people/ada', 'people/nobody', 'workspaces/w1'])
      assert.equal((await of('ada', holder)).status, 403, holder);
    at.gone.add('nobody');
    assert.equal((await of('admin', 'people/nobody')).status, 404);
    assert.equal((await of('admin', 'workspaces/none')).status, 404);
    for (const quota of [0, -1, 1.5, '10'])
      assert.equal((await at.api('admin', 'PUT', '/quotas/people/ada', { quota })).status, 400, `${quota}`);
  });
});

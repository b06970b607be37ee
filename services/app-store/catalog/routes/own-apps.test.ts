import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { helloToml, zipOf } from '../testing.ts';
import { startTestCatalog, type TestCatalog } from '../testing-server.ts';

describe('one’s own apps', () => {
  let started: TestCatalog;
  before(async () => {
    started = await startTestCatalog(createFilesystemBlobStore, { versionLimit: 2 });
  });
  after(() => started.stop());

  const importVersion = async (name: string, version: string, token: string) => {
    const toml = helloToml.replace('ai.haic.hello', name).replace('1.0.0', version);
    return started.importBytes(await zipOf({ 'app.toml': toml }), token, 'ALL_USERS');
  };
  const listed = async (query: string, token: string) => {
    const { json } = await started.call('GET', `/api/v1/apps?${query}`, token);
    return json.items.map(({ name, version }) => `${name} ${version}`);
  };

  it('are listed by themselves, also for an administrator', async () => {
    await importVersion('of-mia', '1.0.0', 'mia/user/portal');
    await importVersion('of-mia', '1.1.0', 'mia/user/portal');
    await importVersion('of-root', '1.0.0', 'root/admin/portal');
    assert.deepEqual(await listed('mine=true', 'mia/user/portal'), ['of-mia 1.1.0']);
    assert.deepEqual(await listed('mine=true&versions=all', 'mia/user/portal'), [
      'of-mia 1.1.0',
      'of-mia 1.0.0',
    ]);
    assert.deepEqual(await listed('mine=true&all=true', 'root/admin/portal'), ['of-root 1.0.0']);
    assert.deepEqual(await listed('mine=true&query=root', 'mia/user/portal'), []);
    assert.deepEqual(await listed('mine=true', 'vera/visitor/portal'), []);
  });

  it('are the newest of one’s own, whatever others made of the same name', async () => {
    await importVersion('shared-name', '1.0.0', 'mia/user/portal');
    await importVersion('shared-name', '2.0.0', 'ben/user/portal');
    assert.deepEqual(await listed('mine=true&query=shared-name', 'mia/user/portal'), ['shared-name 1.0.0']);
  });

  it('have so many versions and no more; a deleted one makes room, other people and other apps have their own', async () => {
    const first = await importVersion('limited', '1.0.0', 'kim/user/portal');
    await importVersion('limited', '1.1.0', 'kim/user/portal');
    const blobs = (await started.blobKeys()).length;
    const refused = await importVersion('limited', '1.2.0', 'kim/user/portal');
    assert.deepEqual([refused.status, refused.json.code], [409, 'app_version_limit_reached']);
    assert.match(refused.json.detail, /2 versions of limited.*Delete one .*the oldest is 1\.0\.0/);
    assert.deepEqual(refused.json.details, { name: 'limited', oldest: '1.0.0', count: 2 });
    assert.equal((await started.blobKeys()).length, blobs, 'nothing of it is kept');
    assert.equal((await importVersion('limited', '1.2.0', 'ben/user/portal')).status, 201);
    assert.equal((await importVersion('other', '1.0.0', 'kim/user/portal')).status, 201);
    await started.call('DELETE', `/api/v1/apps/${first.json.id}`, 'kim/user/portal');
    assert.equal((await importVersion('limited', '1.3.0', 'kim/user/portal')).status, 201);
  });

  it('stay within the limit when several are imported at once', async () => {
    const answers = await Promise.all(
      ['1.0.0', '1.1.0', '1.2.0', '1.3.0'].map((version) =>
        importVersion('at-once', version, 'kim/user/portal'),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 201, 409, 409]);
  });
});

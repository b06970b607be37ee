import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import type { DownloadRule } from '../policy.ts';
import { helloToml, zipOf } from '../testing.ts';
import { startTestCatalog, type TestCatalog } from '../testing-server.ts';

const people = {
  owner: 'own/user/portal',
  'owner by CLI': 'own/user/cli',
  'owner through an app': 'own/user/app',
  'other user': 'oth/user/portal',
  admin: 'adm/admin/portal',
  'admin through an app': 'adm/admin/app',
  visitor: 'vis/visitor/portal',
};

/** Statuses for an app that is PRIVATE and one that is ALL_USERS, written by hand from app-store.md §4. */
const matrix: Record<DownloadRule, Record<keyof typeof people, string>> = {
  everyone: {
    owner: '200 200',
    'owner by CLI': '200 200',
    'owner through an app': '403 403',
    'other user': '404 200',
    admin: '200 200',
    'admin through an app': '403 403',
    visitor: '404 404',
  },
  managers: {
    owner: '200 200',
    'owner by CLI': '200 200',
    'owner through an app': '403 403',
    'other user': '404 403',
    admin: '200 200',
    'admin through an app': '403 403',
    visitor: '404 404',
  },
  nobody: {
    owner: '403 403',
    'owner by CLI': '403 403',
    'owner through an app': '403 403',
    'other user': '404 403',
    admin: '403 403',
    'admin through an app': '403 403',
    visitor: '404 404',
  },
};

for (const rule of ['everyone', 'managers', 'nobody'] as const)
  describe(`downloads for ${rule}`, () => {
    let started: TestCatalog;
    const ids: string[] = [];
    before(async () => {
      started = await startTestCatalog(createFilesystemBlobStore, { downloads: rule });
      for (const visibility of ['PRIVATE', 'ALL_USERS'])
        ids.push((await started.importApp('own/user/portal', { visibility })).id);
    });
    after(() => started.stop());

    for (const [who, expected] of Object.entries(matrix[rule]))
      it(`${who} gets ${expected}`, async () => {
        const token = people[who as keyof typeof people];
        const statuses: number[] = [];
        for (const id of ids) {
          const { status } = await started.call('GET', `/api/v1/apps/${id}/bundle`, token);
          statuses.push(status);
          const { json } = await started.call('GET', `/api/v1/apps/${id}`, token);
          assert.equal(json.canDownload ?? false, status === 200, 'the app itself says so');
        }
        assert.equal(statuses.join(' '), expected);
      });
  });

describe('a download', () => {
  let started: TestCatalog;
  before(async () => {
    started = await startTestCatalog(createFilesystemBlobStore);
  });
  after(() => started.stop());

  it('is the bundle byte for byte, named after the app, and nothing that a browser would show', async () => {
    const zip = await zipOf({ 'app.toml': helloToml, 'app.py': 'x' });
    const { json } = await started.importBytes(zip, 'own/user/portal');
    const answer = await fetch(`${started.base}/api/v1/apps/${json.id}/bundle`, {
      headers: { authorization: 'Bearer own/user/portal' },
    });
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(zip));
    assert.equal(answer.headers.get('content-type'), 'application/zip');
    assert.equal(answer.headers.get('content-length'), String(zip.length));
    assert.equal(
      answer.headers.get('content-disposition'),
      "attachment; filename*=UTF-8''ai.haic.hello.1.0.0.wave",
    );
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/);
    const head = await started.call('HEAD', `/api/v1/apps/${json.id}/bundle`, 'own/user/portal');
    assert.deepEqual([head.status, head.text], [200, '']);
  });

  it('of an app that does not exist is not found', async () => {
    for (const id of [crypto.randomUUID(), 'nonsense']) {
      const { status } = await started.call('GET', `/api/v1/apps/${id}/bundle`, 'own/user/portal');
      assert.equal(status, 404);
    }
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { helloToml, zipOf } from './testing.ts';
import { startTestCatalog, type TestCatalog } from './testing-server.ts';

describe('who may what in the catalog', () => {
  let started: TestCatalog;
  before(async () => {
    started = await startTestCatalog(createFilesystemBlobStore);
  });
  after(() => started.stop());
  const call: TestCatalog['call'] = (...args) => started.call(...args);
  const importApp: TestCatalog['importApp'] = (...args) => started.importApp(...args);
  const change: TestCatalog['changeVisibility'] = (...args) => started.changeVisibility(...args);

  const people = {
    owner: 'own/user/portal',
    'owner by CLI': 'own/user/cli',
    'owner by platform token': 'own/user/platform',
    'owner through an app': 'own/user/app',
    'other user': 'oth/user/portal',
    admin: 'adm/admin/portal',
    'admin through an app': 'adm/admin/app',
    visitor: 'vis/visitor/portal',
    'owner without a role': 'own//portal',
    'owner as a service account': 'own/user/service-account',
    service: 'srv/user+admin/service',
  };
  // see · run · change · delete, as statuses (run: y or n) for apps of each visibility. Written by hand from app-store.md §4.
  const matrix: Record<string, Record<keyof typeof people, string>> = {
    PRIVATE: {
      owner: '200 y 200 204',
      'owner by CLI': '200 y 200 204',
      'owner by platform token': '200 y 200 204',
      'owner through an app': '200 n 403 403',
      'other user': '404 - 404 404',
      admin: '200 n 200 204',
      'admin through an app': '404 - 403 403',
      visitor: '404 - 404 404',
      'owner without a role': '404 - 404 404',
      'owner as a service account': '200 y 200 204',
      service: '403 - 403 403',
    },
    ALL_USERS: {
      owner: '200 y 200 204',
      'owner by CLI': '200 y 200 204',
      'owner by platform token': '200 y 200 204',
      'owner through an app': '200 n 403 403',
      'other user': '200 y 403 403',
      admin: '200 y 200 204',
      'admin through an app': '200 n 403 403',
      visitor: '404 - 404 404',
      'owner without a role': '404 - 404 404',
      'owner as a service account': '200 y 200 204',
      service: '403 - 403 403',
    },
    PUBLIC: {
      owner: '200 y 200 204',
      'owner by CLI': '200 y 200 204',
      'owner by platform token': '200 y 200 204',
      'owner through an app': '200 n 403 403',
      'other user': '200 y 403 403',
      admin: '200 y 200 204',
      'admin through an app': '200 n 403 403',
      visitor: '404 - 404 404',
      'owner without a role': '404 - 404 404',
      'owner as a service account': '200 y 200 204',
      service: '403 - 403 403',
    },
  };

  for (const [visibility, rows] of Object.entries(matrix))
    for (const [who, expected] of Object.entries(rows))
      it(`${who}: an app that is ${visibility}`, async () => {
        const token = people[who as keyof typeof people];
        const app = await importApp('own/user/portal', { visibility });
        const seen = await call('GET', `/api/v1/apps/${app.id}`, token);
        const listed = (await call('GET', '/api/v1/apps?pageSize=200', token)).json.items?.some(
          ({ id }) => id === app.id,
        );
        const isForeignPrivate = visibility === 'PRIVATE' && who === 'admin';
        assert.equal(
          listed === true,
          seen.status === 200 && !isForeignPrivate,
          'the list shows what may be seen',
        );
        const run = seen.status === 200 ? (seen.json.canRun ? 'y' : 'n') : '-';
        const changed = await change(app.id, visibility, token);
        const deleted = await call('DELETE', `/api/v1/apps/${app.id}`, token);
        assert.equal(`${seen.status} ${run} ${changed.status} ${deleted.status}`, expected);
        if (seen.status === 200) assert.equal(seen.json.canManage, changed.status === 200);
      });

  const mayImport: Record<keyof typeof people, number> = {
    owner: 201,
    'owner by CLI': 201,
    'owner by platform token': 201,
    'owner through an app': 403,
    'other user': 201,
    admin: 201,
    'admin through an app': 403,
    visitor: 403,
    'owner without a role': 403,
    'owner as a service account': 201,
    service: 403,
  };
  for (const [who, expected] of Object.entries(mayImport))
    it(`${who}: importing`, async () => {
      const zip = await zipOf({
        'app.toml': helloToml.replace('ai.haic.hello', `by-${who.replaceAll(' ', '-')}`),
      });
      assert.equal((await started.importBytes(zip, people[who as keyof typeof people])).status, expected);
    });

  it('nobody without a token', async () => {
    for (const [method, url] of [
      ['GET', '/api/v1/apps'],
      ['POST', '/api/v1/apps'],
      ['GET', '/api/v1/apps/x'],
      ['DELETE', '/api/v1/apps/x'],
      ['GET', '/api/v1/apps/x/assets/icon.png'],
    ] as const)
      assert.equal((await fetch(started.base + url, { method })).status, 401);
  });

  it('an administrator lists the PRIVATE apps of others on demand, nobody else does', async () => {
    const app = await importApp('own/user/portal');
    const listedFor = async (token: string) =>
      (await call('GET', '/api/v1/apps?all=true&pageSize=200', token)).json.items.some(
        ({ id }) => id === app.id,
      );
    assert.equal(await listedFor(people.admin), true);
    for (const token of [people['other user'], people['admin through an app'], people.visitor])
      assert.equal(await listedFor(token), false);
  });

  it('a MANAGED app is run by its owner and administrators, a LINK by nobody', async () => {
    const managed = await importApp('own/user/portal', {
      visibility: 'ALL_USERS',
      app: 'InstanceLifecycle = "MANAGED"',
    });
    const link = await importApp('own/user/portal', {
      visibility: 'ALL_USERS',
      toml: '[App]\nName = "link"\nVersion = "1"\nInstanceLifecycle = "LINK"\n[Link]\nAddress = "https://example.com"',
    });
    const canRun = async (id: string, token: string) =>
      (await call('GET', `/api/v1/apps/${id}`, token)).json.canRun;
    assert.deepEqual(
      await Promise.all(
        [people.owner, people.admin, people['other user']].map((token) => canRun(managed.id, token)),
      ),
      [true, true, false],
    );
    assert.equal(await canRun(link.id, people.owner), false);
  });

  it('an id that is none is an app that does not exist', async () => {
    for (const id of ['x', '1', crypto.randomUUID(), '%00', "'", '..%2f', 'A'.repeat(400)]) {
      assert.equal((await call('GET', `/api/v1/apps/${id}`, people.owner)).status, 404, id);
      assert.equal((await change(id, 'PUBLIC', people.owner)).status, 404, id);
      assert.equal((await call('DELETE', `/api/v1/apps/${id}`, people.owner)).status, 404, id);
    }
  });

  it('the visibility takes effect at once, and nothing else can be changed', async () => {
    const app = await importApp('own/user/portal');
    assert.equal((await change(app.id, 'ALL_USERS', people.owner)).json.visibility, 'ALL_USERS');
    assert.equal((await call('GET', `/api/v1/apps/${app.id}`, people['other user'])).status, 200);
    assert.equal((await change(app.id, 'PRIVATE', people.owner)).json.visibility, 'PRIVATE');
    assert.equal((await call('GET', `/api/v1/apps/${app.id}`, people['other user'])).status, 404);
    for (const body of [
      '{}',
      '{"visibility":"WORLD"}',
      '{"visibility":"PUBLIC","owner":"me"}',
      '[]',
      'null',
      '{',
    ])
      assert.equal(
        (
          await call('PATCH', `/api/v1/apps/${app.id}`, people.owner, {
            body,
            headers: { 'content-type': 'application/json' },
          })
        ).status,
        400,
        body,
      );
  });
});

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { startTestCatalog, type TestCatalog } from './testing-server.ts';

const someone = 'some/user/portal';
const statements: string[] = [];
let catalog: TestCatalog;
let ids: string[] = [];

before(async () => {
  catalog = await startTestCatalog(createFilesystemBlobStore);
  catalog.database.sql.options.debug = (_connection, text) => void statements.push(text);
  const app = await catalog.importApp(someone, { visibility: 'ALL_USERS' });
  const columns = `version, version_order, title, description, long_description, owner_subject, owner_username,
    importer_subject, importer_username, visibility,
    manifest, assets, requirements, packages, bundle_sha256, bundle_size, precondition_problems, precondition_checked_at`;
  const rows = await catalog.database.sql.unsafe<{ id: string }[]>(
    `insert into catalog.apps (id, name, ${columns}, created_at, updated_at)
     select gen_random_uuid(), 'ai.example.many-' || n, ${columns}, now() - n * interval '1 s', now()
     from catalog.apps, generate_series(1, 999) as n where id = '${app.id}' returning id`,
  );
  ids = [app.id, ...rows.map((row) => row.id)];
});
after(() => catalog.stop());
beforeEach(() => void statements.splice(0));

describe('a thousand apps', () => {
  for (const pageSize of [10, 1000])
    it(`are listed ${pageSize} at a time by one statement`, async () => {
      const { json } = await catalog.call('GET', `/api/v1/apps?pageSize=${pageSize}`, someone);
      assert.equal(json.items.length, pageSize);
      assert.equal(statements.length, 1, statements.join('\n'));
    });

  it('are told to other services by one statement', async () => {
    assert.equal((await catalog.catalog.client.getApps(ids)).length, 1000);
    assert.equal(statements.length, 1, statements.join('\n'));
  });
});

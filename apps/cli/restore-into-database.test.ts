import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { type Haic, placeForHaic, startHaic } from '../../test/support/haic.ts';

describe('a backup and a PostgreSQL of one’s own', () => {
  let source: Haic;
  let target: Haic;
  let own: Awaited<ReturnType<typeof startTestDatabase>>;
  let file: string;

  before(async () => {
    file = path.join(await mkdtemp(path.join(tmpdir(), 'haic-backup-')), 'backup');
    own = await startTestDatabase();
    source = await startHaic();
    target = await placeForHaic({ HAIC_DATABASE_URL: own.url });
    await source.addUser('ada');
    await source.run(['backup', file]);
  });
  after(async () => {
    await source?.stop();
    await target?.stop();
    await own?.stop();
    await rm(path.dirname(file), { recursive: true, force: true });
  });

  it('what the embedded one held is restored into it, and a backup of that knows where it came from', async () => {
    await target.run(['restore', file]);
    await target.up();
    assert.match(await target.run(['user', 'list']), /^ada /m);
    assert.equal((await own.database.sql`select 1 from identity.people where username = 'ada'`).length, 1);
    // The running platform's database is copied, whatever this shell says.
    await target.run(['backup', `${file}-2`], { env: { HAIC_DATABASE_URL: '' } });
  });

  it('a schema that is there already is never overwritten: it is refused, or moved aside whole', async () => {
    await target.run(['down']);
    const refused = await target.cli(['restore', `${file}-2`]);
    assert.deepEqual([refused.code, /already\. To put .*--replace/.test(refused.stderr)], [1, true]);
    const key = await readFile(path.join(target.home, 'secrets/master-key'), 'utf8');
    await own.database.sql`update identity.people set name = 'Of the old days' where username = 'ada'`;
    await target.run(['restore', `${file}-2`, '--replace']);
    assert.equal(await readFile(path.join(target.home, 'secrets/master-key'), 'utf8'), key);
    const schemas = await own.database.sql<{ name: string }[]>`
      select nspname as name from pg_namespace where nspname like 'identity%' or nspname = 'haic_restore' order by 1`;
    assert.equal(schemas.length, 2);
    assert.match(schemas[1]?.name ?? '', /^identity_before_restore_\d{14}$/);
    const [ada] = await own.database.sql`
      select name from ${own.database.sql(schemas[1]?.name ?? '')}.people where username = 'ada'`;
    assert.equal(ada?.name, 'Of the old days');
    await target.up();
    assert.doesNotMatch(await target.run(['user', 'list']), /Of the old days/);
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Database } from './port.ts';
import { connectPostgres, migrate, refuseNewerDatabase } from './postgres.ts';
import { startTestDatabase } from './testing.ts';

describe('PostgreSQL', () => {
  let database: Database;
  let url: string;
  let stop: () => Promise<void>;
  let directory: string;

  before(async () => {
    ({ database, url, stop } = await startTestDatabase());
    directory = await mkdtemp(path.join(tmpdir(), 'haic-migrations-'));
    await writeFile(path.join(directory, '0001-first.sql'), 'create table thing (id int primary key);');
  });
  after(async () => {
    await rm(directory, { recursive: true });
    await stop();
  });

  it('applies each migration once, however often and by however many processes it is asked', async () => {
    const other = connectPostgres({ url, applicationName: 'other' });
    const runs = await Promise.all(
      [database, other, database].map((d) => migrate(d, { schema: 'things', directory })),
    );
    await other.close();
    assert.deepEqual(runs.flat(), ['0001-first.sql']);
    assert.deepEqual(await migrate(database, { schema: 'things', directory }), []);
    await database.sql`insert into things.thing values (1)`;
  });

  it('applies a failing migration not at all', async () => {
    const file = path.join(directory, '0002-second.sql');
    await writeFile(file, 'create table half (id int); select no_such_function();');
    await assert.rejects(migrate(database, { schema: 'things', directory }), /no_such_function/);
    const [row] = await database.sql<
      { half: string | null }[]
    >`select to_regclass('things.half')::text as half`;
    assert.equal(row?.half, null);
    await writeFile(file, 'create table whole (id int);');
    assert.deepEqual(await migrate(database, { schema: 'things', directory }), ['0002-second.sql']);
  });

  it('refuses a migration that was changed after it had been applied', async () => {
    const file = path.join(directory, '0001-first.sql');
    const original = await readFile(file, 'utf8');
    await writeFile(file, `${original} -- changed`);
    await assert.rejects(migrate(database, { schema: 'things', directory }), /0001-first\.sql was changed/);
    await writeFile(file, original);
  });

  it('refuses a schema that a newer Haic has changed, and changes nothing', async () => {
    const file = path.join(directory, '0003-of-a-newer-haic.sql');
    await writeFile(file, 'create table newer (id int);');
    await migrate(database, { schema: 'things', directory });
    await rm(file);
    const known = { schema: 'things', directory };
    const words = /made by a newer Haic than this one: it has things\/0003-of-a-newer-haic\.sql/;
    await assert.rejects(migrate(database, known), words);
    await assert.rejects(refuseNewerDatabase(url, [known]), words);
    await refuseNewerDatabase(url, [{ schema: 'never_made', directory }]);
  });

  it('tells listeners what was notified', async () => {
    const heard = Promise.withResolvers<string>();
    const listener = await database.listen('news', heard.resolve, () => {});
    await database.notify('news', 'hello');
    assert.equal(await heard.promise, 'hello');
    await listener.stop();
  });

  it('rolls a failed transaction back', async () => {
    await assert.rejects(
      database.transaction(async (sql) => {
        await sql`insert into things.thing values (2)`;
        throw new Error('no');
      }),
      /no/,
    );
    assert.equal((await database.sql`select 1 from things.thing where id = 2`).length, 0);
  });
});

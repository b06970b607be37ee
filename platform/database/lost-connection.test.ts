import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Database, TransactionSql } from './port.ts';
import { startTestDatabase } from './testing.ts';

/** What a restart of the server does to transactions; an error that nobody catches would end this process, as it would end Haic's. */
describe('a transaction whose connection is lost', () => {
  let database: Database;
  let stop: () => Promise<void>;
  before(async () => {
    ({ database, stop } = await startTestDatabase());
    await database.sql`create table kept (n int)`;
  });
  after(() => stop());

  const rounds = 5;
  const endBackendOf = async (sql: TransactionSql): Promise<void> => {
    const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await database.sql`select pg_terminate_backend(${backend?.pid ?? 0})`;
  };
  const read = async () => (await database.sql<{ n: number }[]>`select n from kept`).map(({ n }) => n);
  /** The driver may say of the first statement after a loss what it had to say of the last one before. */
  const kept = () => read().catch(read);

  it('fails, keeps nothing, and what comes after it works', async () => {
    for (let round = 0; round < rounds; round++) {
      const lost = database.transaction(async (sql) => {
        await sql`insert into kept values (1)`;
        await endBackendOf(sql);
        await sql`insert into kept values (2)`;
      });
      await assert.rejects(lost);
      assert.deepEqual(await kept(), []);
    }
  });

  it('fails also when many statements are under way', async () => {
    for (let round = 0; round < rounds; round++) {
      const lost = database.transaction(async (sql) => {
        const pid = sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
        const [backend] = await pid;
        const pending = Array.from({ length: 5 }, () => sql`select pg_sleep(0.05)`);
        await Promise.all([...pending, database.sql`select pg_terminate_backend(${backend?.pid ?? 0})`]);
      });
      await assert.rejects(lost);
      assert.deepEqual(await kept(), []);
    }
  });

  it('fails also when a service has put the loss into words of its own', async () => {
    const lost = database.transaction(async (sql) => {
      await endBackendOf(sql);
      await sql`select 1`.catch((cause: unknown) => {
        throw new Error('The shelf cannot be read.', { cause });
      });
    });
    await assert.rejects(lost);
    assert.deepEqual(await kept(), []);
  });

  it('tells what the work says when the connection is well', async () => {
    const failed = database.transaction(async (sql) => {
      await sql`insert into kept values (3)`;
      throw new Error('Changed my mind.');
    });
    await assert.rejects(failed, /Changed my mind/);
    assert.deepEqual(await kept(), []);
    await database.transaction((sql) => sql`insert into kept values (4)`);
    assert.deepEqual(await kept(), [4]);
  });
});

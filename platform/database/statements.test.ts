import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLogger } from '@haic/kit/logging.ts';
import { withinRequest } from '@haic/kit/telemetry/within-request.ts';
import type { Database } from './port.ts';
import { connectPostgres } from './postgres.ts';
import { startTestDatabase } from './testing.ts';

const request = '7b1d1c1e-0000-4000-8000-000000000001';

describe('statements that an operator has to find the request of', () => {
  let database: Database;
  let stop: () => Promise<void>;
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('test', 'warn', { write: (line) => lines.push(JSON.parse(line)) });
  before(async () => {
    const test = await startTestDatabase();
    const statements = { logger, slowMs: 100 };
    database = connectPostgres({ url: test.url, applicationName: 'observed', statements });
    await database.sql`create table thing (id int primary key, name text)`;
    lines.length = 0;
    stop = async () => {
      await database.close();
      await test.stop();
    };
  });
  after(() => stop());

  const told = async (work: (database: Database) => Promise<unknown>) => {
    lines.length = 0;
    await withinRequest(request, undefined, async () => await work(database));
    return lines.map(({ requestId, statement, code, msg }) => ({ requestId, statement, code, msg }));
  };

  it('are logged when they take long, with the request and without values', async () => {
    const slow = await told(
      async ({ sql }) =>
        await sql`select pg_sleep(${0.15}),
          ${'hunter2'}::text`,
    );
    const statement = 'select pg_sleep(…), …::text';
    assert.deepEqual(slow, [
      { requestId: request, statement, code: undefined, msg: 'A statement took long.' },
    ]);
    assert.ok(Number(lines[0]?.milliseconds) >= 100);
    assert.ok(!JSON.stringify(lines).includes('hunter2'));
  });

  it('are logged in a transaction, too', async () => {
    const slow = await told(({ transaction }) => transaction((sql) => sql`select pg_sleep(0.15)`));
    assert.deepEqual(
      slow.map(({ requestId, statement }) => [requestId, statement]),
      [[request, 'select pg_sleep(0.15)']],
    );
  });

  it('are logged when the database refuses them, and refused as before', async () => {
    const refused = await told(({ sql }) =>
      assert.rejects(sql`select no_such_function(${'hunter2'})`.execute(), /no_such_function/),
    );
    assert.deepEqual(
      refused.map(({ requestId, code, msg }) => [requestId, code, msg]),
      [[request, '42883', 'The database refused a statement.']],
    );
    assert.ok(!JSON.stringify(lines).includes('hunter2'));
  });

  it('are not logged when they are quick, or refused as callers expect; parts of them run by themselves never', async () => {
    const quiet = await told(async ({ sql }) => {
      const part = sql`where id = ${1}`;
      await sql`insert into thing ${sql([{ id: 1, name: 'one' }])}`;
      assert.deepEqual([...(await sql`select name from thing ${part}`)], [{ name: 'one' }]);
      const [twice] = await Promise.all([sql`select 1 as n`, sql`select 2 as n`]);
      assert.equal(twice[0]?.n, 1);
      await assert.rejects(async () => sql`insert into thing values (1, 'again')`, { code: '23505' });
      await sql`select 1`.catch(() => assert.fail());
    });
    assert.deepEqual(quiet, []);
  });
});

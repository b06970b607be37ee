import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLogger } from '@haic/kit/logging.ts';
import { createMeter, type Meter } from '@haic/kit/telemetry/meter.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { measureDatabase, measureOutbox, measureWorkloads, startOperations } from './operations.ts';

const quiet = createLogger('test', 'silent');

describe('what a process says of itself', () => {
  let test: Awaited<ReturnType<typeof startTestDatabase>>;
  let meter: Meter;
  before(async () => {
    test = await startTestDatabase();
    meter = await createMeter('core');
  });
  after(() => test.stop());

  it('is whether its database answers, and its own connections there', async () => {
    const other = connectPostgres({ url: test.url, applicationName: 'somebody else' });
    await other.sql`select 1`;
    measureDatabase(meter, test.database);
    const text = await meter.render();
    assert.match(text, /^haic_database_up\{service="core"\} 1$/m);
    const open = [...text.matchAll(/^haic_database_connections\{.*\} (\d+)$/gm)];
    const total = open.reduce((sum, [, value]) => sum + Number(value), 0);
    const [row] = await test.database.sql<{ own: number }[]>`
      select count(*)::int as own from pg_stat_activity where application_name = 'test'
      and datname = current_database()`;
    await other.close();
    assert.ok(total >= 1 && total <= (row?.own ?? 0), `${total} of ${row?.own}`);
  });

  it('is that its database is away, when it is', async () => {
    const nobody = connectPostgres({ url: 'postgres://x@127.0.0.1:1/x', applicationName: 'nobody' });
    const own = await createMeter('core');
    measureDatabase(own, nobody);
    const text = await own.render();
    assert.match(text, /^haic_database_up\{service="core"\} 0$/m);
    assert.doesNotMatch(text, /^haic_database_connections\{/m);
    await nobody.close();
  });

  it('is what runs, by phase, and what waits to be recorded', async () => {
    measureWorkloads(meter, {
      list: async () =>
        (['Running', 'Running', 'Failed'] as const).map((phase) => ({ status: { phase } })) as never,
    });
    measureOutbox(meter, {
      status: async () => ({ waiting: 3, oldestMs: 1500, refused: 0, problem: undefined }),
    });
    const text = await meter.render();
    assert.match(text, /^haic_workloads\{phase="Running",service="core"\} 2$/m);
    assert.match(text, /^haic_workloads\{phase="Failed",service="core"\} 1$/m);
    assert.match(text, /^haic_audit_events_waiting\{service="core"\} 3$/m);
    assert.match(text, /^haic_audit_oldest_waiting_seconds\{service="core"\} 1.5$/m);
  });

  it('is nothing where nobody asks', async () => {
    const settings = { operationsPort: 0, operationsHost: '127.0.0.1' };
    assert.equal(await startOperations('router', settings, quiet), undefined);
  });
});

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Database } from '@haic/platform/database/port.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { secretsOf } from '@haic/server/installation.ts';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { callApi } from '../support/api.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { appPortOf, bornOf, eventually, instanceHost, startProbe } from './support.ts';
import { type Watcher, watchApp } from './watcher.ts';

describe('while the database is there, but has no time', () => {
  let haic: Haic;
  let token: string;
  let id: string;
  let born: string | undefined;
  let watcher: Watcher;
  let browser: Browser;

  before(async () => {
    haic = await startHaic();
    const password = await haic.addUser('ada');
    token = await haic.accessToken('ada');
    id = await startProbe(haic, token);
    born = await bornOf(haic, token, id);
    browser = new Browser(haic.port);
    await browser.signIn(`${haic.url}/login`, 'ada', password);
    assert.equal((await browser.open(`${instanceHost(haic, id)}/`)).status, 200);
    watcher = await watchApp(await appPortOf(haic, id));
  });
  after(async () => {
    await watcher?.stop();
    await haic?.stop();
  });

  async function connect(applicationName: string, maxConnections: number): Promise<Database> {
    const masterKey = await readFile(path.join(haic.home, 'secrets/master-key'), 'utf8');
    const { postgresPassword } = secretsOf(Buffer.from(masterKey.trim(), 'hex'));
    const pidFile = await readFile(path.join(haic.home, 'postgres/data/postmaster.pid'), 'utf8');
    const url = `postgres://haic:${postgresPassword}@127.0.0.1:${pidFile.split('\n')[3]}/haic`;
    return connectPostgres({ url, applicationName, maxConnections });
  }

  const listApps = () =>
    callApi<{ code: string; detail: string }>(haic, token, 'GET', '/api/v1/apps?pageSize=1');
  const appsGoOn = async () => {
    const opened = await browser.fetch(`${instanceHost(haic, id)}/`);
    assert.deepEqual([opened.status, JSON.parse(opened.body)], [200, { born }]);
    assert.deepEqual(watcher.troubles, []);
    assert.deepEqual([...watcher.born], [born]);
  };
  const isWell = () => eventually(async () => ((await listApps()).status === 200 ? true : undefined));

  it('no connection is left: apps go on, the API says what is the matter, and is well when there is one again', async () => {
    const control = await connect('control', 1);
    const hoard = await connect('hoard', 400);
    const take = async (count: number) => {
      const asked = Array.from({ length: count }, () =>
        hoard.sql`select pg_sleep(600)`.catch(() => 'refused'),
      );
      // Whoever is let in sleeps; whoever is not is told at once.
      await Promise.race([Promise.all(asked), eventually(isFull)]);
    };
    const isFull = async () => {
      const [row] = await control.sql<{ free: boolean }[]>`
        select count(*) < current_setting('max_connections')::int as free
        from pg_stat_activity where backend_type = 'client backend'`;
      return row?.free === false ? true : undefined;
    };
    const hasNone = async () => {
      const [row] = await control.sql<{ none: boolean }[]>`
        select not exists (select from pg_stat_activity where application_name like 'haic-%') as none`;
      return row?.none === true;
    };
    try {
      await control.sql`select 1`;
      await take(110);
      // Haic connects again by itself, so it may be quicker than the hoard once or twice.
      await eventually(async () => {
        await control.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'haic-%'`;
        await take(30);
        return (await hasNone()) ? true : undefined;
      });
      const refused = await listApps();
      assert.deepEqual([refused.status, refused.body.code], [503, 'database_unavailable']);
      assert.match(refused.body.detail, /database of Haic cannot be reached/);
      await appsGoOn();
    } finally {
      await control.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'hoard'`;
      await hoard.close();
      await control.close();
    }
    await isWell();
    assert.equal((await browser.fetch(`${haic.url}/api/v1/me`)).status, 200, 'nobody was signed out');
    await appsGoOn();
  });

  it('it is slow: what can wait waits, what waited too long is told so, and all else goes on', async () => {
    const control = await connect('control', 2);
    const held = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const lock = control.transaction(async (sql) => {
      await sql`lock table catalog.apps in access exclusive mode`;
      holding.resolve();
      await held.promise;
    });
    await holding.promise;
    // More at once than Haic has connections.
    const waiting = Array.from({ length: 25 }, listApps);
    await eventually(async () => {
      const [row] = await control.sql<{ waiting: number }[]>`
        select count(*)::int as waiting from pg_stat_activity where wait_event_type = 'Lock'`;
      return (row?.waiting ?? 0) > 0 ? true : undefined;
    });
    await appsGoOn();
    const first = await Promise.race(waiting);
    assert.deepEqual([first.status, first.body.code], [503, 'database_unavailable']);
    assert.match(first.body.detail, /takes too long/);
    await appsGoOn();
    held.resolve();
    await lock;
    for (const answer of await Promise.all(waiting)) assert.ok([200, 503].includes(answer.status));
    await control.close();
    await isWell();
    await appsGoOn();
  });
});

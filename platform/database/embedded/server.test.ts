import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import postgres from 'postgres';
import { type EmbeddedPostgres, startEmbeddedPostgres, stopEmbeddedPostgres } from './server.ts';

describe('the embedded PostgreSQL', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-embedded-'));
    await chmod(directory, 0o711);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const start = (name: string): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      cacheDirectory: process.env.HAIC_CACHE ?? path.join(tmpdir(), 'haic-test-cache'),
      dataDirectory: path.join(directory, name),
      logFile: path.join(directory, `${name}.log`),
      password: `password of ${name}`,
      preferredPort: 54_777,
      durable: false,
      signal: AbortSignal.timeout(120_000),
    });

  it('starts several at once that all want the same port, each with its own data', async () => {
    const names = ['one', 'two', 'three'];
    // Made one after the other, so that all of them reach for the port in the same moment.
    for (const name of names) await (await start(name)).stop();
    const servers = await Promise.all(names.map(start));
    assert.equal(new Set(servers.map((server) => server.port)).size, names.length);
    for (const server of servers) {
      const sql = postgres(server.url, { max: 1 });
      assert.equal((await sql`select current_user as who`)[0]?.who, 'haic');
      await sql.end();
    }
    await Promise.all(servers.map((server) => server.stop()));
  });

  it('finds the one that runs instead of starting another', async () => {
    const first = await start('one');
    const second = await start('one');
    assert.deepEqual([second.pid, second.port, second.started], [first.pid, first.port, false]);
    await stopEmbeddedPostgres(path.join(directory, 'one'));
  });
});

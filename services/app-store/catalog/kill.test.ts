import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { connectPostgres, migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { catalogMigrations, createCatalog } from './catalog.ts';
import { exampleSecrets, helloToml, png, runtimeVersions, zipOf } from './testing.ts';

const logger = createLogger('catalog-test', 'silent');
const openBlobs = (directory: string) =>
  createFilesystemBlobStore({ directory: path.join(directory, 'blobs') });

async function openCatalog(database: Database, directory: string) {
  return createCatalog({
    database,
    blobs: await openBlobs(directory),
    runtimeVersions,
    instancesOf: async () => 0,
    identity: { findPerson: async () => undefined, findPersonByName: async () => undefined },
    secrets: exampleSecrets(),
    whenAppIsHandedOver: async () => undefined,
    temporaryDirectory: path.join(directory, 'uploads'),
    logger,
  });
}

/** This file started by itself, to be killed: imports and deletes without end, a line for each answer. */
async function importWithoutEnd(url: string, directory: string, run: string): Promise<void> {
  const catalog = await openCatalog(connectPostgres({ url, applicationName: 'importer' }), directory);
  const server = createHttpServer({
    logger,
    verifyToken: async (token) => ({
      subject: 'sub',
      username: 'anna',
      name: undefined,
      email: undefined,
      roles: ['user'],
      groups: [],
      party: wellKnownClients.cli,
      partyKind: 'cli',
      instanceId: undefined,
      expiresAt: 0,
      token,
    }),
  });
  catalog.register(server);
  const headers = { authorization: 'Bearer x', 'content-type': 'application/octet-stream' };
  for (let i = 0; ; i += 1) {
    const toml = helloToml.replace('ai.haic.hello', `run-${run}-${i}`);
    const payload = await zipOf({ 'app.toml': toml, 'static/icon.png': png, 'static/screenshot1.png': png });
    const answer = await server.inject({ method: 'POST', url: '/api/v1/apps', headers, payload });
    const { id } = answer.json<{ id: string }>();
    writeSync(1, `imported ${id}\n`);
    // Not the first one: on a slow machine there may be no second before the end, and what was acknowledged is to be looked for.
    if (i % 3 !== 1) continue;
    writeSync(1, `deleting ${id}\n`);
    await server.inject({
      method: 'DELETE',
      url: `/api/v1/apps/${id}`,
      headers: { authorization: 'Bearer x' },
    });
    writeSync(1, `deleted ${id}\n`);
  }
}

const [url, directory, run] = (process.env.HAIC_TEST_IMPORTER ?? '').split(' ');
if (url !== undefined && directory !== undefined && run !== undefined)
  await importWithoutEnd(url, directory, run);

describe('killed at random points of imports and deletions, the catalog', () => {
  let directory: string;
  let started: Awaited<ReturnType<typeof startTestDatabase>>;
  before(async () => {
    started = await startTestDatabase();
    await migrate(started.database, catalogMigrations);
    directory = await mkdtemp(path.join(tmpdir(), 'haic-catalog-kill-'));
  });
  after(async () => {
    await started.stop();
    await rm(directory, { recursive: true });
  });

  async function importUntilKilled(run: number, milliseconds: number): Promise<string[]> {
    const child = spawn(process.execPath, [import.meta.filename], {
      env: { ...process.env, HAIC_TEST_IMPORTER: `${started.url} ${directory} ${run}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), milliseconds);
      output += chunk;
    });
    await once(child, 'close');
    return output.split('\n').slice(0, -1);
  }

  it('has lost nothing that it acknowledged and holds nothing half', async () => {
    const runs = Number(process.env.HAIC_KILL_RUNS ?? 6);
    const imported = new Set<string>();
    for (let run = 0; run < runs; run += 1) {
      for (const line of await importUntilKilled(run, 20 + ((run * 73) % 150))) {
        const [what, id = ''] = line.split(' ');
        if (what === 'imported') imported.add(id);
        else imported.delete(id);
      }
      const catalog = await openCatalog(started.database, directory);
      await catalog.sweep({ olderThanMs: -60_000 });
      const signal = AbortSignal.timeout(60_000);
      for (const id of imported)
        assert.ok(await catalog.client.getApp(id), `${id} was acknowledged and is lost`);
      const rows = await started.database.sql<{ id: string }[]>`select id from catalog.apps`;
      for (const { id } of rows) {
        const app = await catalog.client.getApp(id);
        const bundle = await catalog.client.openBundle(id, { signal });
        assert.ok(app !== undefined && bundle !== undefined);
        assert.equal((await buffer(bundle.content)).length, app.bundleSize);
        assert.equal(app.assets.length, 2);
      }
      const { blobs } = await (await openBlobs(directory)).list({ prefix: '', signal });
      assert.equal(blobs.length, rows.length * 3, 'every blob belongs to an app');
      assert.deepEqual(await readdir(path.join(directory, 'uploads')), []);
    }
    assert.ok(imported.size > 0);
  });
});

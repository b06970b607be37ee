import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres from 'postgres';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/server.ts';
import type { Database } from './port.ts';
import { connectPostgres } from './postgres.ts';

interface TestServer {
  readonly server: EmbeddedPostgres;
  readonly directory: string;
}

let shared: Promise<TestServer> | undefined;
let databases = 0;

/** A fresh, empty database on one real server for this test process. `stop` drops it; the last one stops the server. */
export async function startTestDatabase(): Promise<{
  database: Database;
  url: string;
  stop(): Promise<void>;
}> {
  shared ??= startServer();
  databases += 1;
  const { server } = await shared;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(server, (sql) => sql`create database ${sql(name)}`);
  const url = server.url.replace(/\/haic$/, `/${name}`);
  const database = connectPostgres({ url, applicationName: 'test' });
  return {
    database,
    url,
    stop: async () => {
      await database.close();
      databases -= 1;
      if (databases > 0) return;
      await stopServer();
    },
  };
}

async function startServer(): Promise<TestServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-test-postgres-'));
  await chmod(directory, 0o711);
  const server = await startEmbeddedPostgres({
    cacheDirectory: process.env.HAIC_CACHE ?? path.join(tmpdir(), 'haic-test-cache'),
    dataDirectory: path.join(directory, 'data'),
    logFile: path.join(directory, 'postgres.log'),
    password: randomBytes(12).toString('hex'),
    preferredPort: 0,
    durable: false,
    signal: AbortSignal.timeout(120_000),
  });
  return { server, directory };
}

async function stopServer(): Promise<void> {
  const current = shared;
  shared = undefined;
  if (current === undefined) return;
  const { server, directory } = await current;
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

async function administer(
  server: EmbeddedPostgres,
  work: (sql: postgres.Sql) => Promise<unknown>,
): Promise<void> {
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

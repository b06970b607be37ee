import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import postgres from 'postgres';
import type { Database, Migrations, Sql } from './port.ts';

export interface PostgresOptions {
  /** postgres://user:password@host:port/database?sslmode=… */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly maxConnections?: number;
}

/** Any PostgreSQL by URL; the embedded one too. Connects lazily and reconnects by itself after the server was away. */
export function connectPostgres(options: PostgresOptions): Database {
  const sql = postgres(options.url, {
    max: options.maxConnections ?? 10,
    idle_timeout: 60,
    connect_timeout: 10,
    connection: { application_name: options.applicationName, statement_timeout: 30_000 },
    onnotice: () => {},
  });
  return {
    sql,
    transaction: (work) => sql.begin(work) as ReturnType<typeof work>,
    notify: async (channel, payload) => {
      await sql.notify(channel, payload);
    },
    listen: async (channel, onPayload, onReady) => {
      const subscription = await sql.listen(channel, onPayload, onReady);
      return { stop: () => subscription.unlisten() };
    },
    close: () => sql.end({ timeout: 5 }),
  };
}

/** Whether the database at this address holds the schema, asked on a connection of its own. */
export async function hasSchema(url: string, schema: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    return (await sql`select 1 from pg_namespace where nspname = ${schema}`).length > 0;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Keeps two processes that start together from migrating the same schema at once. */
const migrationLock = 4_811_013;

/**
 * Brings a service's schema up to date. Each file runs once, in a transaction of its own; a file that changed after it
 * was applied is refused, because another installation already ran the other text.
 */
export async function migrate(database: Database, migrations: Migrations): Promise<readonly string[]> {
  const files = (await readdir(migrations.directory)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  const applied: string[] = [];
  for (const name of files) {
    const text = await readFile(path.join(migrations.directory, name), 'utf8');
    if (await applyOnce(database, migrations.schema, name, text)) applied.push(name);
  }
  return applied;
}

const applyOnce = (database: Database, schema: string, name: string, text: string): Promise<boolean> =>
  database.transaction(async (sql) => {
    const hash = createHash('sha256').update(text).digest('hex');
    await sql`select pg_advisory_xact_lock(${migrationLock})`;
    await prepareSchema(sql, schema);
    const [earlier] = await sql<
      { hash: string }[]
    >`select hash from ${sql(schema)}.migrations where name = ${name}`;
    if (earlier !== undefined) {
      if (earlier.hash !== hash)
        throw new Error(`Migration ${schema}/${name} was changed after it had been applied.`);
      return false;
    }
    await sql`select set_config('search_path', ${schema}, true)`;
    await sql.unsafe(text);
    await sql`insert into ${sql(schema)}.migrations (name, hash) values (${name}, ${hash})`;
    return true;
  });

async function prepareSchema(
  sql: Sql | Parameters<Parameters<Database['transaction']>[0]>[0],
  schema: string,
): Promise<void> {
  await sql`create schema if not exists ${sql(schema)}`;
  await sql`create table if not exists ${sql(schema)}.migrations (
    name text primary key, hash text not null, applied_at timestamptz not null default now())`;
}

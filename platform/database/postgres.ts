import { isIP } from 'node:net';
import postgres from 'postgres';
import { applyMigration, newerDatabase, readMigrations, unknownMigrations } from './migrations.ts';
import type { Database, Migrations, Sql, TransactionSql } from './port.ts';
import { logStatements, type StatementLog } from './statements.ts';
import { inTransaction } from './transaction.ts';

export interface PostgresOptions {
  /** postgres://user:password@host:port/database?sslmode=… */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly maxConnections?: number;
  /** Where to say which statements are slow or refused; nowhere by default. */
  readonly statements?: StatementLog;
}

/** With `sslmode=verify-full` the driver compares a certificate with `localhost` where the server is named by its address. */
function verified(url: string): { readonly ssl?: { readonly host: string } } {
  const { hostname, searchParams } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return searchParams.get('sslmode') === 'verify-full' && isIP(host) !== 0 ? { ssl: { host } } : {};
}

/** Any PostgreSQL by URL; the embedded one too. Connects lazily and reconnects by itself after the server was away. */
export function connectPostgres(options: PostgresOptions): Database {
  const sql = postgres(options.url, {
    ...verified(options.url),
    max: options.maxConnections ?? 10,
    idle_timeout: 60,
    connect_timeout: 10,
    connection: { application_name: options.applicationName, statement_timeout: 30_000 },
    onnotice: () => {},
  });
  const { statements } = options;
  const logged = <T extends Sql | TransactionSql>(of: T): T =>
    statements === undefined ? of : logStatements(of, statements);
  return {
    sql: logged(sql),
    transaction: (work) => inTransaction(sql, (transaction) => work(logged(transaction))),
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
  const sql = postgres(url, { ...verified(url), max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    return (await sql`select 1 from pg_namespace where nspname = ${schema}`).length > 0;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * Brings a service's schema up to date. Each file runs once, in a transaction of its own; a file that changed after it
 * was applied is refused, because another installation already ran the other text. So is a schema that a newer Haic has changed.
 */
export async function migrate(database: Database, migrations: Migrations): Promise<readonly string[]> {
  const { schema } = migrations;
  const known = await readMigrations(migrations);
  const unknown = await unknownMigrations(database.sql, schema, known);
  if (unknown.length > 0) throw newerDatabase(schema, unknown);
  const applied: string[] = [];
  for (const migration of known)
    if (await database.transaction((sql) => applyMigration(sql, schema, migration)))
      applied.push(migration.name);
  return applied;
}

/** Throws when any of these schemas was changed by a newer Haic. Asked before anything that runs is stopped. */
export async function refuseNewerDatabase(url: string, all: readonly Migrations[]): Promise<void> {
  const sql = postgres(url, { ...verified(url), max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    for (const migrations of all) {
      const unknown = await unknownMigrations(sql, migrations.schema, await readMigrations(migrations));
      if (unknown.length > 0) throw newerDatabase(migrations.schema, unknown);
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
}

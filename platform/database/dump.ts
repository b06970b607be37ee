import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import { holdForBackup } from './backup-lock.ts';
import { applyMigration, type Migration, newerDatabase, readMigrations } from './migrations.ts';
import type { Migrations, Sql, TransactionSql } from './port.ts';

/**
 * A logical copy: which migrations had run, and the rows in PostgreSQL's own text format. No schema is copied; the migrations make
 * it again. So a copy fits any major version of PostgreSQL, embedded or not.
 */
export interface SchemaCopy {
  readonly schema: string;
  readonly migrations: readonly { readonly name: string; readonly hash: string }[];
  readonly tables: readonly TableCopy[];
  readonly sequences: readonly { readonly name: string; readonly value: string; readonly called: boolean }[];
}

export interface TableCopy {
  readonly name: string;
  readonly columns: readonly string[];
}

export interface Snapshot {
  readonly serverVersion: string;
  readonly schemas: readonly SchemaCopy[];
  rows(schema: string, table: TableCopy): Promise<Readable>;
}

/** No limit on statements here: a large table takes as long as it takes. */
const connectAlone = (url: string): Sql =>
  postgres(url, {
    max: 1,
    connect_timeout: 10,
    connection: { application_name: 'haic-backup', statement_timeout: 0 },
    onnotice: () => {},
  });

/** All that `work` reads is of one instant, after which no blob is removed until it has ended. */
export async function withSnapshot<T>(
  url: string,
  known: readonly Migrations[],
  signal: AbortSignal,
  work: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  // What was cancelled before is told to nobody who begins to listen now.
  signal.throwIfAborted();
  const pool = connectAlone(url);
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  // Whoever waits for the lock or for rows waits no longer; nor does who waits for the connection, which the pool forgets when it ends.
  const cancel = () => {
    aborted.reject(signal.reason);
    void pool.end({ timeout: 0 });
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const sql = await Promise.race([pool.reserve(), aborted.promise]);
    // Before the transaction begins: its first statement fixes the instant.
    await holdForBackup(sql);
    await sql`begin isolation level repeatable read read only`;
    const [server] = await sql<{ server_version: string }[]>`show server_version`;
    const result = await work({
      serverVersion: server?.server_version ?? '',
      schemas: await describe(sql, known),
      rows: (schema, { name, columns }) =>
        sql
          .unsafe(`copy ${quoted(schema, name)} (${columns.map((c) => quoted(c)).join(', ')}) to stdout`)
          .readable(),
    });
    await sql`commit`;
    await sql`select pg_advisory_unlock_all()`;
    sql.release();
    return result;
  } finally {
    signal.removeEventListener('abort', cancel);
    await pool.end({ timeout: 1 });
  }
}

async function describe(sql: Sql, known: readonly Migrations[]): Promise<SchemaCopy[]> {
  const found = await sql<{ schema: string }[]>`
    select nspname as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relname = 'migrations' and c.relkind = 'r' and nspname = any(${known.map((m) => m.schema)})
    order by nspname`;
  const schemas: SchemaCopy[] = [];
  for (const { schema } of found) {
    schemas.push({
      schema,
      migrations: await sql`select name, hash from ${sql(schema)}.migrations order by name`,
      tables: await sql<{ name: string; columns: string[] }[]>`
        select c.relname as name, array_agg(a.attname order by a.attnum)::text[] as columns
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
        where n.nspname = ${schema} and c.relkind = 'r' and c.relname <> 'migrations'
          and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        group by c.relname order by c.relname`,
      sequences: await sequencesOf(sql, schema),
    });
  }
  return schemas;
}

async function sequencesOf(sql: Sql, schema: string): Promise<SchemaCopy['sequences']> {
  const names = await sql<{ name: string }[]>`
    select sequencename as name from pg_sequences where schemaname = ${schema} order by sequencename`;
  const sequences: { name: string; value: string; called: boolean }[] = [];
  for (const { name } of names) {
    const [row] = await sql<{ value: string; called: boolean }[]>`
      select last_value::text as value, is_called as called from ${sql(schema)}.${sql(name)}`;
    if (row !== undefined) sequences.push({ name, ...row });
  }
  return sequences;
}

/** Why these schemas cannot be loaded here; undefined when they can. */
export async function whyNotLoadable(
  copies: readonly SchemaCopy[],
  known: readonly Migrations[],
): Promise<string | undefined> {
  for (const { schema, migrations } of copies) {
    const service = known.find((candidate) => candidate.schema === schema);
    const here = service === undefined ? [] : await readMigrations(service);
    const newer = migrations.filter(({ name }) => !here.some((migration) => migration.name === name));
    if (newer.length > 0)
      return newerDatabase(
        schema,
        newer.map(({ name }) => name),
      ).message;
    const other = migrations.find(({ name, hash }) => here.some((m) => m.name === name && m.hash !== hash));
    if (other !== undefined) return `The migration ${schema}/${other.name} is another text in this Haic.`;
  }
  return undefined;
}

export interface Loading {
  readonly sql: TransactionSql;
  rows(schema: string, table: string, content: AsyncIterable<Uint8Array>): Promise<void>;
}

/**
 * Everything in one transaction: the schemas at the state of their copies, the rows that `work` brings, the migrations that have been
 * written since, and what `work` does at last. Schemas of these names must not be there.
 */
export async function load(
  url: string,
  copies: readonly SchemaCopy[],
  known: readonly Migrations[],
  steps: {
    /** Before anything is made: whoever replaces what is there moves it aside here. */
    readonly before?: (sql: TransactionSql) => Promise<void>;
    readonly rows: (loading: Loading) => Promise<void>;
    /** When the schemas are of today. What fails here undoes everything. */
    readonly after: (sql: TransactionSql) => Promise<void>;
  },
): Promise<void> {
  const pool = connectAlone(url);
  try {
    await pool.begin(async (sql) => {
      await steps.before?.(sql);
      const migrations = new Map<string, readonly Migration[]>();
      for (const service of known) migrations.set(service.schema, await readMigrations(service));
      for (const copy of copies) {
        const names = new Set(copy.migrations.map(({ name }) => name));
        for (const migration of migrations.get(copy.schema) ?? [])
          if (names.has(migration.name)) await applyMigration(sql, copy.schema, migration);
      }
      await withBareTables(sql, copies, () =>
        steps.rows({ sql, rows: (schema, table, content) => copyIn(sql, copies, schema, table, content) }),
      );
      for (const { schema, sequences } of copies)
        for (const { name, value, called } of sequences)
          await sql`select setval(${quoted(schema, name)}::regclass, ${value}::bigint, ${called})`;
      for (const [schema, all] of migrations)
        for (const migration of all) await applyMigration(sql, schema, migration);
      await sql`select set_config('search_path', '', true)`;
      await steps.after(sql);
    });
  } finally {
    await pool.end({ timeout: 1 });
  }
}

/** Empty, without triggers and foreign keys, so that rows may come in any order; with them again afterwards, checked. */
async function withBareTables(
  sql: TransactionSql,
  copies: readonly SchemaCopy[],
  work: () => Promise<void>,
): Promise<void> {
  const tables = copies.flatMap(({ schema, tables: all }) => all.map(({ name }) => quoted(schema, name)));
  if (tables.length === 0) return work();
  // Names in definitions are then written in full.
  await sql`select set_config('search_path', '', true)`;
  const keys = await sql<{ table: string; name: string; definition: string }[]>`
    select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(c.oid) as definition
    from pg_constraint c join pg_namespace n on n.oid = c.connamespace
    where contype = 'f' and nspname = any(${copies.map(({ schema }) => schema)})`;
  for (const { table, name } of keys)
    await sql.unsafe(`alter table ${table} drop constraint ${quoted(name)}`);
  for (const table of tables) await sql.unsafe(`alter table ${table} disable trigger user`);
  await sql.unsafe(`truncate ${tables.join(', ')}`);
  await work();
  for (const table of tables) await sql.unsafe(`alter table ${table} enable trigger user`);
  for (const { table, name, definition } of keys)
    await sql.unsafe(`alter table ${table} add constraint ${quoted(name)} ${definition}`);
}

async function copyIn(
  sql: TransactionSql,
  copies: readonly SchemaCopy[],
  schema: string,
  table: string,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const columns = copies.find((c) => c.schema === schema)?.tables.find((t) => t.name === table)?.columns;
  if (columns === undefined) throw new Error(`There are rows of ${schema}.${table}, which is not described.`);
  const target = await sql
    .unsafe(`copy ${quoted(schema, table)} (${columns.map((c) => quoted(c)).join(', ')}) from stdin`)
    .writable();
  await pipeline(content, target);
}

const quoted = (...names: string[]): string =>
  names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.');

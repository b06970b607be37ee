import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Migrations, Sql, TransactionSql } from './port.ts';

/** One numbered file, with the hash by which it is known that two installations ran the same text. */
export interface Migration {
  readonly name: string;
  readonly text: string;
  readonly hash: string;
}

export async function readMigrations({ directory }: Migrations): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(path.join(directory, name), 'utf8');
      return { name, text, hash: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/** Keeps two processes that start together from migrating the same schema at once. */
const migrationLock = 4_811_013;

/** Applies the file unless it was applied before; false then. A file that was changed since is refused. */
export async function applyMigration(
  sql: TransactionSql,
  schema: string,
  { name, text, hash }: Migration,
): Promise<boolean> {
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
}

async function prepareSchema(sql: TransactionSql, schema: string): Promise<void> {
  await sql`create schema if not exists ${sql(schema)}`;
  await sql`create table if not exists ${sql(schema)}.migrations (
    name text primary key, hash text not null, applied_at timestamptz not null default now())`;
}

/**
 * What was applied to a schema and is not known here: a newer Haic has been at work on this database, and what its migrations did
 * cannot be undone. Empty for a schema that does not exist yet.
 */
export async function unknownMigrations(
  sql: Sql | TransactionSql,
  schema: string,
  known: readonly Migration[],
): Promise<readonly string[]> {
  const [found] = await sql<{ there: boolean }[]>`
    select to_regclass(${`${schema}.migrations`}) is not null as there`;
  if (found?.there !== true) return [];
  const names = known.map(({ name }) => name);
  const rows = await sql<{ name: string }[]>`
    select name from ${sql(schema)}.migrations where name <> all(${names}::text[]) order by name`;
  return rows.map(({ name }) => name);
}

export const newerDatabase = (schema: string, names: readonly string[]): Error =>
  new Error(
    `The database was made by a newer Haic than this one: it has ${names.map((name) => `${schema}/${name}`).join(', ')}. ` +
      'There is no way back for a database: start the newer Haic again, or restore a backup that was made before the upgrade ' +
      '(./haic restore FILE --replace).',
  );

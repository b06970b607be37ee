import type { TransactionSql } from '@haic/platform/database/port.ts';
import { connectPostgres, hasSchema } from '@haic/platform/database/postgres.ts';
import { allMigrations } from '@haic/server/migrations.ts';
import { forgetSessionsOfRouter } from '@haic/services/app-store/router/after-restore.ts';
import { tellTrailOfRestore } from '@haic/services/audit/after-restore.ts';
import { forgetSessionsOfIssuer } from '@haic/services/identity/after-restore.ts';

/** What in a restored database is not to be taken over as it was. */
export async function afterLoading(sql: TransactionSql): Promise<void> {
  await forgetSessionsOfIssuer(sql);
  await forgetSessionsOfRouter(sql);
  await tellTrailOfRestore(sql);
}

const markSchema = 'haic_restore';

/** Written with the rows, in one transaction: whoever finds it knows that they are there. */
export async function markRestore(sql: TransactionSql, id: string): Promise<void> {
  await sql`create schema ${sql(markSchema)}`;
  await sql`create table ${sql(markSchema)}.done as select ${id}::text as id`;
}

export const hasRestoreMark = (url: string, id: string): Promise<boolean> =>
  withDatabase(url, async ({ sql }) => {
    if (!(await hasSchema(url, markSchema))) return false;
    return (await sql`select 1 from ${sql(markSchema)}.done where id = ${id}`).length > 0;
  });

export const forgetRestoreMark = (url: string): Promise<void> =>
  withDatabase(url, async ({ sql }) => {
    await sql`drop schema if exists ${sql(markSchema)} cascade`;
  });

/** The schemas of Haic that a PostgreSQL of one's own has already. */
export async function schemasThere(url: string): Promise<readonly string[]> {
  const there: string[] = [];
  for (const { schema } of allMigrations) if (await hasSchema(url, schema)) there.push(schema);
  return there;
}

/** Kept beside the restored ones, for whoever wants to go back by hand. */
export async function moveSchemasAside(
  sql: TransactionSql,
  schemas: readonly string[],
  suffix: string,
): Promise<void> {
  // Left by a restore whose last step was cut off: it has no meaning any more.
  await sql`drop schema if exists ${sql(markSchema)} cascade`;
  for (const schema of schemas)
    await sql`alter schema ${sql(schema)} rename to ${sql(`${schema}_${suffix}`)}`;
}

async function withDatabase<T>(
  url: string,
  work: (database: ReturnType<typeof connectPostgres>) => Promise<T>,
): Promise<T> {
  const database = connectPostgres({ url, applicationName: 'haic-restore', maxConnections: 1 });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

import path from 'node:path';
import type { Database, Migrations } from '@haic/platform/database/port.ts';
import type { Starting } from './port.ts';

/** To be applied before `createPostgresStarting`. */
export const startingMigrations: Migrations = {
  schema: 'scheduler',
  directory: path.join(import.meta.dirname, 'migrations'),
};

/** More than a start may take until the runtime knows of it (`service.ts`): whoever began it was killed. */
const longestSeconds = 6 * 60;
/** By then every scheduler has heard of it from the runtime, also one that had to list anew. */
const seenAfterSeconds = 60;

/** What all schedulers over one runtime share. */
export function createPostgresStarting(
  database: Database,
  times: { readonly longestSeconds: number; readonly seenAfterSeconds: number } = {
    longestSeconds,
    seenAfterSeconds,
  },
): Starting {
  const { sql } = database;
  const live = sql`coalesce(made_at + make_interval(secs => ${times.seenAfterSeconds}),
    begun_at + make_interval(secs => ${times.longestSeconds})) > now()`;

  const forget = async (id: string) => void (await sql`delete from scheduler.starts where id = ${id}`);

  return {
    async begin(id, { appId, owner }) {
      const place = await database.transaction(async (within) => {
        // Places of one owner are given, and seen, one after the other.
        await within`select pg_advisory_xact_lock(hashtextextended(${`haic start ${owner}`}, 0))`;
        await within`delete from scheduler.starts where id = ${id} or not (${live})`;
        const [row] = await within<{ place: string }[]>`
          insert into scheduler.starts (id, app_id, owner) values (${id}, ${appId}, ${owner}) returning place`;
        return row?.place ?? '0';
      });
      return {
        async before(known) {
          const [row] = await sql<{ count: number }[]>`
            select count(*)::int as count from scheduler.starts
            where owner = ${owner} and place < ${place} and ${live} and id <> all(${known})`;
          return row?.count ?? 0;
        },
        made: async () => void (await sql`update scheduler.starts set made_at = now() where id = ${id}`),
        failed: () => forget(id),
      };
    },
    async ids() {
      const rows = await sql<{ id: string }[]>`select id from scheduler.starts where ${live}`;
      return new Set(rows.map(({ id }) => id));
    },
    async countOf(appId, known) {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from scheduler.starts
        where app_id = ${appId} and ${live} and id <> all(${known})`;
      return row?.count ?? 0;
    },
    forget,
  };
}

import type { Database, Sql } from './port.ts';

/**
 * A backup reads the database at one instant and the blobs afterwards. What a row of that instant names must still be there when its
 * turn comes, so while a backup holds this lock nobody removes blobs.
 */
const backupLock = 4_811_014;

/** On this connection, until it ends. Waits for removals that are under way. */
export async function holdForBackup(connection: Sql): Promise<void> {
  await connection`select pg_advisory_lock(${backupLock})`;
}

/** Does the work, during which no backup begins; does nothing and returns false while one is being made. */
export const unlessBackedUp = (database: Database, work: () => Promise<void>): Promise<boolean> =>
  database.transaction(async (sql) => {
    const [row] = await sql<{ free: boolean }[]>`
      select pg_try_advisory_xact_lock_shared(${backupLock}) as free`;
    if (row?.free !== true) return false;
    await work();
    return true;
  });

import type { TransactionSql } from '@haic/platform/database/port.ts';

/**
 * What happened after the backup is not in a restored trail. It goes on from where the backup was made, and the next event that is recorded is
 * preceded by one that says so, for whoever verifies it.
 */
export async function tellTrailOfRestore(sql: TransactionSql): Promise<void> {
  await sql`update audit.trail set restored = true`;
}

import type { TransactionSql } from '@haic/platform/database/port.ts';

/** See the issuer's own: nobody is signed in to an installation that was restored. */
export async function forgetSessionsOfRouter(sql: TransactionSql): Promise<void> {
  await sql`delete from router.sessions`;
  await sql`delete from router.used_logout_tokens`;
}

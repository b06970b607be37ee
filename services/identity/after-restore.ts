import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import type { TransactionSql } from '@haic/platform/database/port.ts';

/**
 * Sessions belong to the installation that was backed up, and some have ended since: none of them is good in a restored one. The
 * tokens that people made for their scripts stay, with their grants.
 */
export async function forgetSessionsOfIssuer(sql: TransactionSql): Promise<void> {
  const lasting = [wellKnownClients.platform, wellKnownClients.cli];
  await sql`
    delete from identity.artifacts
    where not (model in ('RefreshToken', 'Grant') and client_id = any(${lasting}))`;
  await sql`delete from identity.failed_attempts`;
}

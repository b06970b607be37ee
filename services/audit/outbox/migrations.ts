import path from 'node:path';
import type { Migrations } from '@haic/platform/database/port.ts';

/** To be applied to every database that a service records from. */
export const auditOutboxMigrations: Migrations = {
  schema: 'audit_outbox',
  directory: path.join(import.meta.dirname, 'migrations'),
};

import path from 'node:path';
import type { Migrations } from '@haic/platform/database/port.ts';

export const auditMigrations: Migrations = {
  schema: 'audit',
  directory: path.join(import.meta.dirname, 'migrations'),
};

import path from 'node:path';
import type { Migrations } from '@haic/platform/database/port.ts';

/** To be applied before `createIdentity`. */
export const identityMigrations: Migrations = {
  schema: 'identity',
  directory: path.join(import.meta.dirname, 'migrations'),
};

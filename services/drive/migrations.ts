import path from 'node:path';
import type { Migrations } from '@haic/platform/database/port.ts';

/** To be applied before `createDrive`. */
export const driveMigrations: Migrations = {
  schema: 'drive',
  directory: path.join(import.meta.dirname, 'migrations'),
};

import path from 'node:path';
import type { Migrations } from '@haic/platform/database/port.ts';

/** To be applied before `createOcean`. */
export const oceanMigrations: Migrations = {
  schema: 'ocean',
  directory: path.join(import.meta.dirname, 'migrations'),
};

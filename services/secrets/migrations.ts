import path from 'node:path';
import type { Migrations } from '@haic/platform/database/port.ts';

/** To be applied before `createSecrets`. */
export const secretsMigrations: Migrations = {
  schema: 'secrets',
  directory: path.join(import.meta.dirname, 'migrations'),
};

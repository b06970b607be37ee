import path from 'node:path';
import type { Migrations } from '@haic/platform/database/port.ts';

export const catalogMigrations: Migrations = {
  schema: 'catalog',
  directory: path.join(import.meta.dirname, 'migrations'),
};

import path from 'node:path';
import type { Migrations } from '@haic/platform/database/port.ts';

export const routerMigrations: Migrations = {
  schema: 'router',
  directory: path.join(import.meta.dirname, 'migrations'),
};

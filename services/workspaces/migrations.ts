import path from 'node:path';
import type { Migrations } from '@haic/platform/database/port.ts';

/** To be applied before `createWorkspaces`. */
export const workspacesMigrations: Migrations = {
  schema: 'workspaces',
  directory: path.join(import.meta.dirname, 'migrations'),
};

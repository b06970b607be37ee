import { idempotencyMigrations } from '@haic/platform/database/idempotency/store.ts';
import type { Migrations } from '@haic/platform/database/port.ts';
import { catalogMigrations } from '@haic/services/app-store/catalog/migrations.ts';
import { routerMigrations } from '@haic/services/app-store/router/migrations.ts';
import { startingMigrations } from '@haic/services/app-store/scheduler/starting/postgres.ts';
import { auditMigrations } from '@haic/services/audit/migrations.ts';
import { auditOutboxMigrations } from '@haic/services/audit/outbox/migrations.ts';
import { driveMigrations } from '@haic/services/drive/migrations.ts';
import { oceanMigrations } from '@haic/services/drive/ocean/migrations.ts';
import { identityMigrations } from '@haic/services/identity/migrations.ts';
import { secretsMigrations } from '@haic/services/secrets/migrations.ts';
import { workspacesMigrations } from '@haic/services/workspaces/migrations.ts';

/** The schemas that core keeps; the router and Drive migrate their own. Of Drive's, core does what the portal's page asks for. */
export const coreMigrations: readonly Migrations[] = [
  identityMigrations,
  catalogMigrations,
  startingMigrations,
  idempotencyMigrations,
  workspacesMigrations,
  auditMigrations,
  auditOutboxMigrations,
  secretsMigrations,
  driveMigrations,
  oceanMigrations,
];

/** Every schema that Haic has, whichever process migrates it: what a backup holds, and what an older Haic must not touch. */
export const allMigrations: readonly Migrations[] = [...coreMigrations, routerMigrations];

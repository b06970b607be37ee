import { idempotencyMigrations } from '@haic/platform/database/idempotency/store.ts';
import type { Migrations } from '@haic/platform/database/port.ts';
import { catalogMigrations } from '@haic/services/app-store/catalog/migrations.ts';
import { routerMigrations } from '@haic/services/app-store/router/migrations.ts';
import { identityMigrations } from '@haic/services/identity/migrations.ts';

/** Every schema that Haic has, whichever process migrates it: what a backup holds, and what an older Haic must not touch. */
export const allMigrations: readonly Migrations[] = [
  identityMigrations,
  catalogMigrations,
  routerMigrations,
  idempotencyMigrations,
];

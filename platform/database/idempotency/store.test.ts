import { after, before } from 'node:test';
import { idempotencyStoreContract } from '@haic/kit/http/idempotency/contract.ts';
import type { Database } from '../port.ts';
import { migrate } from '../postgres.ts';
import { startTestDatabase } from '../testing.ts';
import { createPostgresIdempotencyStore, idempotencyMigrations } from './store.ts';

let started: { database: Database; stop(): Promise<void> };
before(async () => {
  started = await startTestDatabase();
  await migrate(started.database, idempotencyMigrations);
});
after(() => started.stop());

idempotencyStoreContract('PostgreSQL', (times, now) =>
  createPostgresIdempotencyStore(started.database, times, now),
);

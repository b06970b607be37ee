import { stopEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { installationAt } from '@haic/server/installation.ts';
import { stopWorkloads } from '@haic/server/runtime.ts';
import type { ServerSettings } from '@haic/server/settings.ts';
import { stopPlatform } from '../installation/processes.ts';
import { say, step } from '../terminal.ts';

/** Stops the platform, then every app, then the database. Apps are remembered: the next `up` starts them again. */
export async function down(settings: ServerSettings): Promise<void> {
  const at = installationAt(settings.home, settings.cache);
  await step('Stopping router, drive and core', () => stopPlatform(at.run));
  await step('Stopping apps', () => stopWorkloads(at, settings));
  await step('Stopping PostgreSQL', () => stopEmbeddedPostgres(at.postgresData));
  say('Haic is down. Everything it keeps is in place; start it again with: ./haic up');
}

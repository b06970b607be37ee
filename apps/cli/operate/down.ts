import { stopEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { stopWorkloads } from '@haic/server/runtime.ts';
import { installationOf, type ServerSettings } from '@haic/server/settings.ts';
import { oneAtATime } from '../installation/one-at-a-time.ts';
import { stopPlatform } from '../installation/processes.ts';
import { say, step } from '../terminal.ts';

/** Stops the platform, then every app, then the database. Apps are remembered: the next `up` starts them again. */
export async function down(settings: ServerSettings): Promise<void> {
  const at = installationOf(settings);
  await oneAtATime(at, async () => {
    await step('Stopping router, drive and core', () => stopPlatform(at.run));
    await step('Stopping apps', () => stopWorkloads(at, settings));
    await step('Stopping PostgreSQL', () => stopEmbeddedPostgres(at.postgresData));
  });
  say('Haic is down. Everything it keeps is in place; start it again with: ./haic up');
}

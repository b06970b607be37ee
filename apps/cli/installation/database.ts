import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { deadline } from '@haic/kit/deadline.ts';
import { startEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { type Installation, readSecrets } from '@haic/server/installation.ts';
import type { ServerSettings } from '@haic/server/settings.ts';
import { environmentOfRunning } from '../operate/backup/running.ts';
import { CommandError, step } from '../terminal.ts';

/** Taken when nothing else listens there. */
export const usualPostgresPort = 54_320;

/** The running platform's own database; else the one that is configured; else the embedded one, started for as long as it takes. */
export async function withDatabase<T>(
  at: Installation,
  settings: ServerSettings,
  work: (url: string, environment: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
  const environment = (await environmentOfRunning(at)) ?? process.env;
  const configured = environment.HAIC_DATABASE_URL ?? settings.databaseUrl;
  if (configured !== undefined && configured !== '') return work(configured, environment);
  await readFile(path.join(at.postgresData, 'PG_VERSION')).catch(() => {
    throw new CommandError(
      `The Haic in ${at.home} does not run and has no database of its own. Set HAIC_DATABASE_URL to the one that it uses.`,
    );
  });
  const server = await step('Starting PostgreSQL', async () =>
    startEmbeddedPostgres({
      cacheDirectory: at.cache,
      dataDirectory: at.postgresData,
      logFile: path.join(at.logs, 'postgres.log'),
      password: (await readSecrets(at)).postgresPassword,
      preferredPort: usualPostgresPort,
      signal: deadline(180_000),
    }),
  );
  try {
    return await work(server.url, environment);
  } finally {
    if (server.started) await server.stop();
  }
}

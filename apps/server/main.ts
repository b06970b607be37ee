import process from 'node:process';
import { ConfigError } from '@haic/kit/config.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { installationOf, readSettings } from './settings.ts';

/** What a role's composition gives back to be stopped. */
export interface RunningRole {
  stop(): Promise<void>;
}

const roles = {
  core: async () => (await import('./core.ts')).startCore,
  router: async () => (await import('./router.ts')).startRouter,
  drive: async () => (await import('./drive.ts')).startDrive,
} as const;

type Role = keyof typeof roles;
const isRole = (name: string): name is Role => name in roles;

/** `node main.ts serve --services=core|router|drive`: one build, many roles (design decision 1). */
async function main(args: readonly string[]): Promise<void> {
  const role = args.find((arg) => arg.startsWith('--services='))?.slice('--services='.length) ?? '';
  if (args[0] !== 'serve' || !isRole(role)) {
    process.stderr.write(`Usage: haic serve --services=${Object.keys(roles).join('|')}\n`);
    process.exit(2);
  }
  const settings = readSettings(process.env);
  const logger = createLogger(role, settings.logLevel);
  const start = await roles[role]();
  const running = await start({
    settings,
    installation: installationOf(settings),
    logger,
  });
  logger.info('ready');
  stopOnSignal(running, (error) => logger.error({ err: error }, 'stopping failed'));
}

function stopOnSignal(running: RunningRole, onError: (error: unknown) => void): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    // A stop that hangs must not keep an old process beside the new one.
    setTimeout(() => process.exit(1), 20_000).unref();
    running.stop().then(
      () => process.exit(0),
      (error) => {
        onError(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
});

import process from 'node:process';
import { ConfigError } from '@haic/kit/config.ts';
import { createLogger, type Logger } from '@haic/kit/logging.ts';
import type { Meter } from '@haic/kit/telemetry/meter.ts';
import { createTracer, type Tracer } from '@haic/kit/telemetry/tracer.ts';
import type { Installation } from './installation.ts';
import { startOperations } from './operations.ts';
import { installationOf, readSettings, type ServerSettings } from './settings.ts';
import { trustOwnAuthority } from './trust.ts';

export const roles = ['core', 'router', 'drive'] as const;
export type RoleName = (typeof roles)[number];

/** What a role's composition gives back to be stopped. */
export interface RunningRole {
  stop(): Promise<void>;
}

export type StartRole = (options: {
  settings: ServerSettings;
  installation: Installation;
  logger: Logger;
  /** Where nobody asks, there is none. */
  meter: Meter | undefined;
  tracer: Tracer | undefined;
  /** Whether somebody said that it is going to be stopped. */
  isEnding: () => boolean;
}) => Promise<RunningRole>;

/** Reads the settings, starts the role, and stops it on SIGTERM. Ends the process when the role cannot start. */
export async function serveRole(role: RoleName, start: StartRole): Promise<void> {
  try {
    const settings = readSettings(process.env);
    await trustOwnAuthority(settings.caFile);
    const logger = createLogger(role, settings.logLevel);
    const operations = await startOperations(role, settings, logger);
    const { meter } = operations ?? {};
    const tracer = await tracerOf(role, settings);
    const isEnding = () => operations?.server.isEnding() === true;
    const installation = installationOf(settings);
    const running = await start({ settings, installation, logger, meter, tracer, isEnding });
    operations?.server.setReady(true);
    logger.info('ready');
    const stop = async () => {
      operations?.server.setReady(false);
      await running.stop();
      await tracer?.stop();
    };
    stopOnSignal({ stop }, (error) => logger.error({ err: error }, 'stopping failed'));
  } catch (error) {
    const text =
      error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`${text}\n`);
    process.exit(1);
  }
}

const tracerOf = async (service: string, { otlpEndpoint: endpoint, tracesPerMille }: ServerSettings) =>
  endpoint === undefined ? undefined : createTracer({ service, endpoint, sampledPerMille: tracesPerMille });

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

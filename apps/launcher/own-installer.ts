import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { until } from '@haic/kit/deadline.ts';
import type { LauncherConfig } from '@haic/services/app-store/scheduler/launcher-config.ts';
import { connectInstaller, type EnvironmentsClient } from '@haic/services/environments/client.ts';
import { startChild } from './child-process.ts';
import { type Environment, toolEnvironment } from './environment.ts';
import { LaunchFailure } from './failure.ts';
import type { InstanceLog } from './instance-log.ts';
import type { LauncherPaths } from './paths.ts';
import type { LauncherSettings } from './settings.ts';

export interface ReachedInstaller {
  readonly client: EnvironmentsClient;
  /** The environment is there: what was started for it ends. */
  end(): Promise<void>;
}

export interface InstallerPlace {
  readonly config: LauncherConfig;
  readonly settings: LauncherSettings;
  readonly paths: LauncherPaths;
  readonly site: Environment;
  readonly log: InstanceLog;
  readonly signal: AbortSignal;
}

/** The machine's installer; in a pod, where there is none, the one of the image, for as long as it is needed and for this instance alone. */
export async function reachInstaller(place: InstallerPlace): Promise<ReachedInstaller> {
  const { socket } = place.config.installer ?? {};
  if (socket !== undefined) return { client: connectInstaller(socket), end: async () => {} };
  return startOwn(place);
}

const graceMs = 5_000;
const kept = 20;

async function startOwn({ config, settings, paths, site, log, signal }: InstallerPlace) {
  const { installer: program, uv } = settings;
  if (program === undefined || uv === undefined)
    throw new LaunchFailure('The image of this instance has no installer (HAIC_INSTALLER, HAIC_UV).');
  const [socket, folder] = [path.join(paths.temporary, 'installer.sock'), paths.environments];
  await mkdir(folder, { recursive: true });
  const { pypiIndex, httpProxy, caFile } = config.network;
  const lines: string[] = [];
  const child = startChild({
    command: process.execPath,
    args: [program],
    cwd: folder,
    env: {
      ...toolEnvironment(paths, site),
      HAIC_INSTALLER_SOCKET: socket,
      HAIC_ENVIRONMENTS_DIR: folder,
      HAIC_UV: uv,
      ...(pypiIndex === undefined ? {} : { HAIC_PYPI_INDEX: pypiIndex }),
      ...(httpProxy === undefined ? {} : { HAIC_HTTP_PROXY: httpProxy }),
      ...(caFile === undefined ? {} : { HAIC_CA_FILE: caFile }),
    },
    onLine: (line) => {
      lines.push(line);
      if (lines.length > kept) lines.shift();
    },
  });
  const client = connectInstaller(socket);
  const stop = () => child.stop(graceMs);
  try {
    await Promise.race([
      answers(client, signal),
      child.ended.then(({ code }) => {
        throw new LaunchFailure(`The installer of the image ended with ${code}.`, lines);
      }),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  log.line('install', 'This instance makes its environment itself.');
  // Nobody sweeps what belongs to one instance, so nothing of it has to be kept.
  return { client: { ...client, keep: async () => {} }, end: stop };
}

const startPatienceMs = 60_000;

async function answers(client: EnvironmentsClient, signal: AbortSignal): Promise<true> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(startPatienceMs)]);
  const asked = () =>
    client.health({ signal: limit }).then(
      () => true as const,
      () => undefined,
    );
  return until(asked, { everyMs: 50, signal: limit });
}

import path from 'node:path';
import { createLogger, type Logger } from '@haic/kit/logging.ts';
import { createLocalRuntime, type LocalRuntime } from '@haic/platform/runtime/local/runtime.ts';
import { firstWorkloadUid, type Installation, installerUid } from './installation.ts';
import type { ServerSettings } from './settings.ts';
import { trustBundleName } from './trust.ts';

/** Where a workload sees what the platform gives it. */
export interface WorkloadPaths {
  /** The program. */
  readonly node: string;
  readonly assets: string;
  readonly installerSocket: string;
  readonly trustBundle: string;
}

const inSandbox = {
  // Not by its path on the machine, which changes with each version of it: what runs would not start again after an upgrade.
  node: '/opt/haic/node',
  assets: '/opt/haic/assets',
  installer: '/opt/haic/installer',
} as const;
const nodeHere = path.resolve(path.dirname(process.execPath), '..');

/** The same for every installation inside a sandbox; without one, workloads see the machine's own paths. */
export function workloadPaths(at: Installation, isolated: boolean): WorkloadPaths {
  const { node, assets, installer } = isolated ? inSandbox : { ...at, node: nodeHere };
  return {
    node: path.join(node, 'bin/node'),
    assets,
    installerSocket: path.join(installer, 'installer.sock'),
    trustBundle: path.join(assets, trustBundleName),
  };
}

/** The local runtime of an installation, with its two images: what an app's sandbox sees, and what the installer's sees. */
export function createRuntime(
  at: Installation,
  settings: ServerSettings,
  logger: Logger,
): Promise<LocalRuntime> {
  const programs = [
    { hostPath: nodeHere, path: inSandbox.node, readOnly: true },
    { hostPath: at.assets, path: inSandbox.assets, readOnly: true },
    ...(settings.uvPath === undefined
      ? []
      : [{ hostPath: path.dirname(settings.uvPath), path: path.dirname(settings.uvPath), readOnly: true }]),
  ];
  const env = {
    HAIC_ENVIRONMENTS_DIR: at.environments,
    ...(settings.uvPath === undefined ? {} : { HAIC_UV: settings.uvPath }),
  };
  return createLocalRuntime({
    stateDirectory: at.runtime,
    volumesDirectory: at.volumes,
    held: true,
    isolation: settings.isolation,
    uids: { first: firstWorkloadUid, count: 4_000 },
    images: {
      'app-runtime': {
        env,
        mounts: [
          ...programs,
          { hostPath: at.environments, path: at.environments, readOnly: true },
          { hostPath: at.installer, path: inSandbox.installer, readOnly: true },
        ],
      },
      installer: {
        env,
        uid: installerUid,
        mounts: [
          ...programs,
          { hostPath: at.environments, path: at.environments, readOnly: false },
          { hostPath: at.installer, path: inSandbox.installer, readOnly: false },
        ],
      },
    },
    logger,
  });
}

/** Stops every workload of an installation whose platform does not run (any more); the next start brings them back. */
export async function stopWorkloads(at: Installation, settings: ServerSettings): Promise<void> {
  const runtime = await createRuntime(at, settings, createLogger('down', 'warn'));
  await runtime.shutdown();
}

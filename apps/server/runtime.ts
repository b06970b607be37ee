import path from 'node:path';
import { createLogger, type Logger } from '@haic/kit/logging.ts';
import { createLocalRuntime, type LocalRuntime } from '@haic/platform/runtime/local/runtime.ts';
import { firstWorkloadUid, type Installation, installerUid } from './installation.ts';
import type { ServerSettings } from './settings.ts';
import { trustBundleName } from './trust.ts';

/** Where things are inside a sandbox, the same for every installation. */
export const sandboxPaths = {
  assets: '/opt/haic/assets',
  installer: '/opt/haic/installer',
  installerSocket: '/opt/haic/installer/installer.sock',
  trustBundle: `/opt/haic/assets/${trustBundleName}`,
} as const;

/** The local runtime of an installation, with its two images: what an app's sandbox sees, and what the installer's sees. */
export function createRuntime(
  at: Installation,
  settings: ServerSettings,
  logger: Logger,
): Promise<LocalRuntime> {
  const node = path.resolve(path.dirname(process.execPath), '..');
  const programs = [
    { hostPath: node, path: node, readOnly: true },
    { hostPath: at.assets, path: sandboxPaths.assets, readOnly: true },
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
    isolation: settings.isolation,
    uids: { first: firstWorkloadUid, count: 4_000 },
    images: {
      'app-runtime': {
        env,
        mounts: [
          ...programs,
          { hostPath: at.environments, path: at.environments, readOnly: true },
          { hostPath: at.installer, path: sandboxPaths.installer, readOnly: true },
        ],
      },
      installer: {
        env,
        uid: installerUid,
        mounts: [
          ...programs,
          { hostPath: at.environments, path: at.environments, readOnly: false },
          { hostPath: at.installer, path: sandboxPaths.installer, readOnly: false },
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

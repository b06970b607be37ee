import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { Installation } from './installation.ts';
import type { WorkloadPaths } from './runtime.ts';
import type { ServerSettings } from './settings.ts';

export const installerName = 'installer';

const digestOf = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
    .slice(0, 16);

/** Runs the installer as a workload like any other: supervised, sandboxed, found again after a crash of the platform. */
export async function ensureInstaller(
  runtime: Runtime,
  settings: ServerSettings,
  at: Installation,
  paths: WorkloadPaths,
  hasTrustBundle: boolean,
): Promise<void> {
  const env = {
    HAIC_INSTALLER_SOCKET: paths.installerSocket,
    // Another program behind the same path is another installer: an upgrade replaces the one that runs.
    HAIC_INSTALLER_BUILD: await digestOf(path.join(at.assets, 'installer.mjs')),
    ...(settings.pythonIndex === undefined ? {} : { HAIC_PYPI_INDEX: settings.pythonIndex }),
    ...(settings.httpProxy === undefined ? {} : { HAIC_HTTP_PROXY: settings.httpProxy }),
    ...(hasTrustBundle ? { HAIC_CA_FILE: paths.trustBundle } : {}),
  };
  await runtime.apply(
    {
      name: installerName,
      labels: { 'haic.io/kind': 'installer' },
      annotations: {},
      replicas: 1,
      template: {
        image: 'installer',
        command: [paths.node, '--max-semi-space-size=1', `${paths.assets}/installer.mjs`],
        env: Object.entries(env).map(([name, value]) => ({ name, value })),
        secret: {},
        ports: [],
        resources: { memoryLimit: 4 * 1024 ** 3 },
        volumes: [],
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 5,
      },
    },
    { signal: AbortSignal.timeout(30_000) },
  );
}

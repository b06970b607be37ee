import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { WorkloadPaths } from './runtime.ts';
import type { ServerSettings } from './settings.ts';

export const installerName = 'installer';

/** Runs the installer as a workload like any other: supervised, sandboxed, found again after a crash of the platform. */
export async function ensureInstaller(
  runtime: Runtime,
  settings: ServerSettings,
  paths: WorkloadPaths,
  hasTrustBundle: boolean,
): Promise<void> {
  const env = {
    HAIC_INSTALLER_SOCKET: paths.installerSocket,
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
        command: [process.execPath, '--max-semi-space-size=1', `${paths.assets}/installer.mjs`],
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

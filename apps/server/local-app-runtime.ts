import path from 'node:path';
import { connectInstaller } from '@haic/services/environments/client.ts';
import type { AppRuntime, AppRuntimeOptions } from './app-runtime.ts';
import { ensureInstaller } from './installer.ts';
import { watchInstaller } from './installer-watchdog.ts';
import { createRuntime, workloadPaths } from './runtime.ts';
import { runtimeVersionsOf } from './runtime-versions.ts';
import { writeTrustBundle } from './trust.ts';

/** The processes of this machine, with the installer that makes Python environments for all apps. */
export async function createLocalAppRuntime({
  settings,
  installation: at,
  logger,
}: AppRuntimeOptions): Promise<AppRuntime> {
  const hasTrustBundle = (await writeTrustBundle(at, settings.caFile)) !== undefined;
  const runtime = await createRuntime(at, settings, logger);
  const paths = workloadPaths(at, runtime.isolated);
  await ensureInstaller(runtime, settings, at, paths, hasTrustBundle);
  const installer = connectInstaller(path.join(at.installer, path.basename(paths.installerSocket)));
  const watchdog = watchInstaller({ runtime, installer, logger });
  return {
    runtime,
    launcher: { image: 'app-runtime', command: [paths.node, `${paths.assets}/launcher.mjs`] },
    installer: { socket: paths.installerSocket },
    network: {
      ...(settings.pythonIndex === undefined ? {} : { pypiIndex: settings.pythonIndex }),
      ...(settings.httpProxy === undefined ? {} : { httpProxy: settings.httpProxy }),
      ...(hasTrustBundle ? { caFile: paths.trustBundle } : {}),
    },
    runtimeVersions: await runtimeVersionsOf(settings.runtimeVersions),
    begin: runtime.begin,
    beginStop: () => watchdog.stop(),
    stop: () => runtime.stop(),
  };
}

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createKubernetesRuntime } from '@haic/platform/runtime/kubernetes/runtime.ts';
import { onPythons, singlePythonVersions } from '@haic/services/app-store/scheduler/runtime-versions.ts';
import type { AppRuntime, AppRuntimeOptions } from './app-runtime.ts';
import { requireCluster } from './cluster-settings.ts';
import type { ServerSettings } from './settings.ts';

/** As the image of apps has them (`deploy/images/app-runtime`). */
const programs = { node: '/usr/local/bin/node', launcher: '/opt/haic/assets/launcher.mjs' } as const;
const ownChart = () => fileURLToPath(new URL('../../deploy/charts/wave-app', import.meta.url));

/** Pods of a cluster, each a release of the chart; each makes its own Python environment (ADR 19). */
export async function createKubernetesAppRuntime({
  settings,
  logger,
}: AppRuntimeOptions): Promise<AppRuntime> {
  const { namespace, image } = requireCluster(settings);
  const runtime = await createKubernetesRuntime({
    ...(settings.kubeconfig === undefined ? {} : { kubeconfig: settings.kubeconfig }),
    namespace,
    images: { 'app-runtime': { reference: image, uid: settings.appUid } },
    imagePullPolicy: settings.appPullPolicy,
    ...(settings.appPullSecrets === undefined ? {} : { imagePullSecrets: settings.appPullSecrets }),
    ...(settings.storageClass === undefined ? {} : { storageClass: settings.storageClass }),
    ...(settings.gpuResource === undefined ? {} : { gpuResource: settings.gpuResource }),
    helm: { program: settings.helm, chart: settings.appChart ?? ownChart() },
    logger,
  });
  const pythons = settings.appPythons ?? ['3.11'];
  return {
    runtime,
    launcher: { image: 'app-runtime', command: [programs.node, programs.launcher] },
    installer: undefined,
    network: await networkOf(settings),
    runtimeVersions: onPythons(
      settings.runtimeVersions ?? singlePythonVersions(pythons[0] ?? '3.11'),
      pythons,
    ),
    begin: () => {},
    beginStop: () => {},
    stop: () => runtime.stop(),
  };
}

/** No file of this machine is there in a pod: an own authority goes along as a text. */
async function networkOf({ pythonIndex, httpProxy, caFile }: ServerSettings): Promise<AppRuntime['network']> {
  return {
    ...(pythonIndex === undefined ? {} : { pypiIndex: pythonIndex }),
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(caFile === undefined ? {} : { authorities: await readFile(caFile, 'utf8') }),
  };
}

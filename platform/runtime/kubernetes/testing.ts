import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { until } from '@haic/kit/deadline.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { findCluster, type TestCluster } from '@haic/test-cluster/cluster.ts';
import { toolsImage } from '@haic/test-cluster/tools-image.ts';
import { connect, type KubeApi } from './api.ts';
import type { KubernetesRuntimeOptions } from './options.ts';
import { createKubernetesRuntime, type KubernetesRuntime } from './runtime.ts';

interface Quota {
  readonly status?: { readonly used?: object };
}

/** A namespace of its own in the test cluster, which takes only pods that pass Pod Security `restricted`. */
export interface TestNamespace {
  readonly namespace: string;
  readonly api: KubeApi;
  readonly options: KubernetesRuntimeOptions;
  start(more?: Partial<KubernetesRuntimeOptions>): Promise<KubernetesRuntime>;
  /** Makes a quota, which holds when this resolves: until its controller has counted what is there, it lets everything in. */
  quota(name: string, hard: Readonly<Record<string, string>>): Promise<void>;
  /** Limits of containers, to be set before the first pod: after it, admission hears of them by and by. */
  limit(name: string, limits: object): Promise<void>;
  /** Stops what was started and removes the namespace with all that is in it. */
  destroy(): Promise<void>;
}

export async function makeNamespace(): Promise<TestNamespace> {
  const kubeconfig = process.env.KUBECONFIG;
  if (kubeconfig === undefined) throw new Error(`${howTo}.`);
  const api = await connect(kubeconfig);
  const signal = AbortSignal.timeout(30_000);
  const namespace = `test-${randomBytes(4).toString('hex')}`;
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await api.json({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: namespace, labels } },
    signal,
  });
  const options: KubernetesRuntimeOptions = {
    kubeconfig,
    namespace,
    images: { system: { reference: toolsImage } },
    volumeBytes: 1 << 20,
    logger: createLogger('runtime', process.env.HAIC_LOG_LEVEL ?? 'silent'),
  };
  const started: KubernetesRuntime[] = [];
  return {
    namespace,
    api,
    options,
    async start(more = {}) {
      const runtime = await createKubernetesRuntime({ ...options, ...more });
      started.push(runtime);
      return runtime;
    },
    async quota(name, hard) {
      const patience = AbortSignal.timeout(30_000);
      const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
      await api.json({
        method: 'POST',
        path,
        body: { metadata: { name }, spec: { hard } },
        signal: patience,
      });
      const counted = async () => {
        const { status } = await api.json<Quota>({ path: `${path}/${name}`, signal: patience });
        return status?.used === undefined ? undefined : true;
      };
      await until(counted, { everyMs: 50, signal: patience });
    },
    async limit(name, limits) {
      const path = `/api/v1/namespaces/${namespace}/limitranges`;
      const body = { metadata: { name }, spec: { limits: [{ type: 'Container', ...limits }] } };
      await api.json({ method: 'POST', path, body, signal: AbortSignal.timeout(30_000) });
    },
    async destroy() {
      await Promise.all(started.map((runtime) => runtime.stop()));
      const path = `/api/v1/namespaces/${namespace}`;
      await api.json({ method: 'DELETE', path, signal: AbortSignal.timeout(30_000) });
      await api.close();
    },
  };
}

/** The cluster that the test runs in, to kill parts of it. */
export async function clusterOfTest(): Promise<TestCluster> {
  const name = process.env.HAIC_TEST_CLUSTER ?? '';
  const cluster = await findCluster(process.env.HAIC_CACHE ?? '/var/cache/haic', name);
  if (cluster === undefined) throw new Error(`${howTo}.`);
  return cluster;
}

const howTo =
  'This test runs in the network of a test cluster: ./haic test kubernetes, or ./haic kube up and ./haic kube exec -- node --test FILE';

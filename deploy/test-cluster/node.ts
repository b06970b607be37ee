import { type ChildProcess, spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { deadline, until } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { type Api, connectApi } from './api.ts';
import { type ComponentName, commandOf, componentNames, configurationFiles } from './components.ts';
import { type ComponentControl, serveControl } from './control.ts';
import { startDns } from './dns.ts';
import { at, containerdSocket, type Layout, network, server } from './layout.ts';
import { type ApiClient, kubeconfig, makeCertificates } from './pki.ts';
import { run } from './run.ts';

/**
 * What runs in a cluster's namespaces, as the only child of their first process: it starts the components in their order, says when the
 * node is ready, and starts and stops components when a test asks it to. The cluster ends with it.
 */
async function main(): Promise<void> {
  const [folder = '', binaries = '', debian = '', enforcer = ''] = process.argv.slice(2);
  const layout: Layout = { folder, binaries, debian, enforcer };
  endWithLifeline();
  try {
    await prepare(layout);
    const api = await connectApi(layout);
    const components = createComponents(layout, api);
    await serveControl(at(layout, 'control.sock'), components);
    await bringUp(layout, api, components);
    await say(layout, 'ready', '');
  } catch (error) {
    await say(layout, 'failed', messageOf(error));
    process.exit(1);
  }
}

/** Who holds the other end of standard input is whom the cluster is for: nothing outlives a test that was killed. */
function endWithLifeline(): void {
  if (process.env.HAIC_LIFELINE !== '1') return;
  process.stdin.resume().once('close', () => process.exit(0));
}

/** Whole or not at all: whoever waits for the file reads it as soon as it is there. */
async function say(layout: Layout, file: string, text: string): Promise<void> {
  await writeFile(at(layout, `${file}.tmp`), text);
  await rename(at(layout, `${file}.tmp`), at(layout, file));
}

async function prepare(layout: Layout): Promise<void> {
  for (const folder of ['log', 'cni', 'pod-logs']) await mkdir(at(layout, folder), { recursive: true });
  await makeCertificates(at(layout, 'pki'), [network.node, network.firstService], deadline(60_000));
  const clients: readonly ApiClient[] = [
    ...(['admin', 'controller-manager', 'scheduler', 'kubelet', 'kube-proxy', 'kube-router'] as const),
  ];
  for (const client of clients)
    await writeFile(at(layout, `${client}.kubeconfig`), kubeconfig(at(layout, 'pki'), server, client));
  for (const [file, text] of Object.entries(configurationFiles(layout)))
    await writeFile(at(layout, file), text);
  openVolumes(at(layout, 'volumes'));
}

/**
 * The host-path provisioner makes volumes that only root can write, and knows nothing of a pod's group, which a real storage driver
 * applies. This stands for it.
 */
function openVolumes(folder: string): void {
  watch(folder, (_, name) => {
    if (name !== null) void openOne(path.join(folder, name)).catch(() => {});
  });
  // A change of mode is news, too: one that changes nothing would be followed by another for ever.
  async function openOne(volume: string): Promise<void> {
    if (((await stat(volume)).mode & 0o7777) !== opened) await chmod(volume, opened);
  }
}

/** With the group of its folder, as volumes have `fsGroup`'s. */
const opened = 0o2777;

function createComponents(layout: Layout, api: Api): ComponentControl {
  const running = new Map<ComponentName, ChildProcess>();
  return {
    async start(name) {
      if (running.has(name)) return;
      const [command = '', ...args] = commandOf(name, layout);
      const log = await open(at(layout, 'log', `${name}.log`), 'a');
      // A test's memory is there, and collected less often the components take a fifth less of its processors.
      const env = { ...process.env, GOGC: '300' };
      const child = spawn(command, args, { stdio: ['ignore', log.fd, log.fd], env });
      await log.close();
      running.set(name, child);
      child.once('exit', () => running.get(name) === child && running.delete(name));
      if (name === 'kube-apiserver') await apiReady(api);
    },
    async stop(name) {
      const child = running.get(name);
      if (child === undefined) return;
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGKILL');
      await ended;
    },
    running: () => componentNames.filter((name) => running.has(name)),
  };
}

async function bringUp(layout: Layout, api: Api, components: ComponentControl): Promise<void> {
  const images = (async () => {
    await components.start('containerd');
    await importImages(layout);
  })();
  await components.start('etcd');
  await components.start('kube-apiserver');
  await Promise.all([
    components.start('kube-controller-manager'),
    components.start('kube-scheduler'),
    images,
  ]);
  await create(api, '/apis/storage.k8s.io/v1/storageclasses', storageClass);
  await startDns({
    address: network.node,
    findService: (name, namespace) => clusterAddress(api, name, namespace),
    hostsFile: at(layout, 'hosts'),
  });
  await Promise.all([
    components.start('kubelet'),
    components.start('kube-proxy'),
    ...Object.entries(dnsObjects).map(([collection, object]) => create(api, collection, object)),
  ]);
  await until(async () => ((await isNodeReady(api)) ? true : undefined), {
    everyMs: 200,
    signal: deadline(120_000),
  });
  await enforcePolicies(layout, api, components);
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await until(async () => ((await api.ask('GET', account))?.status === 200 ? true : undefined), {
    everyMs: 100,
    signal: deadline(60_000),
  });
}

/** From when this has resolved, every NetworkPolicy binds every pod. */
async function enforcePolicies(layout: Layout, api: Api, components: ComponentControl): Promise<void> {
  for (const [collection, object] of Object.entries(enforcerRights)) await create(api, collection, object);
  await components.start('kube-router');
  const enforced = async () => {
    // The last rule that it writes, when it has written all.
    const rules = await run('iptables', ['-w', '-S', 'KUBE-ROUTER-FORWARD']).catch(() => '');
    if (rules.includes('explicitly ACCEPT')) return true;
    if (components.running().includes('kube-router')) return undefined;
    const log = (await readFile(at(layout, 'log', 'kube-router.log'), 'utf8')).trim().split('\n');
    throw new Error(`NetworkPolicies would not be enforced; kube-router ended:\n${log.slice(-6).join('\n')}`);
  };
  await until(enforced, { everyMs: 100, signal: deadline(60_000) });
}

const enforcerRole = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'kube-router' };
const enforcerRights = {
  '/apis/rbac.authorization.k8s.io/v1/clusterroles': {
    metadata: { name: enforcerRole.name },
    rules: [
      { apiGroups: [''], resources: ['namespaces', 'nodes', 'pods'], verbs: ['get', 'list', 'watch'] },
      {
        apiGroups: ['networking.k8s.io'],
        resources: ['networkpolicies'],
        verbs: ['get', 'list', 'watch'],
      },
    ],
  },
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings': {
    metadata: { name: enforcerRole.name },
    roleRef: enforcerRole,
    subjects: [{ kind: 'User', name: 'kube-router' }],
  },
};

async function importImages(layout: Layout): Promise<void> {
  const ctr = (...args: string[]) => run('ctr', ['-a', containerdSocket, '-n', 'k8s.io', ...args]);
  const answers = () =>
    ctr('version').then(
      () => true as const,
      () => undefined,
    );
  await until(answers, { everyMs: 100, signal: deadline(60_000) });
  for (const image of await readdir(at(layout, 'images')))
    await ctr('images', 'import', at(layout, 'images', image));
}

/** Pods ask a Service, as everywhere; behind it is this process. */
const dnsObjects = {
  '/api/v1/namespaces/kube-system/services': {
    metadata: { name: 'kube-dns' },
    spec: { clusterIP: network.dns, ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] },
  },
  '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices': {
    metadata: { name: 'kube-dns', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    addressType: 'IPv4',
    ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
    endpoints: [{ addresses: [network.node] }],
  },
};

async function clusterAddress(api: Api, name: string, namespace: string): Promise<string | undefined> {
  const answer = await api.ask('GET', `/api/v1/namespaces/${namespace}/services/${name}`);
  if (answer?.status !== 200) return undefined;
  const { clusterIP } = (JSON.parse(answer.body) as { spec: { clusterIP?: string } }).spec;
  return clusterIP === 'None' ? undefined : clusterIP;
}

const storageClass = {
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'kubernetes.io/host-path',
};

async function apiReady(api: Api): Promise<void> {
  const ready = async () => ((await api.ask('GET', '/readyz'))?.body === 'ok' ? true : undefined);
  await until(ready, { everyMs: 100, signal: deadline(120_000) });
}

async function isNodeReady(api: Api): Promise<boolean> {
  const answer = await api.ask('GET', '/api/v1/nodes/node1');
  if (answer?.status !== 200) return false;
  const node = JSON.parse(answer.body) as { status: { conditions?: { type: string; status: string }[] } };
  return node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

async function create(api: Api, collection: string, object: unknown): Promise<void> {
  const answer = await api.ask('POST', collection, { text: JSON.stringify(object) });
  if (answer?.status !== 201) throw new Error(`POST ${collection}: ${answer?.status} ${answer?.body}`);
}

await main();

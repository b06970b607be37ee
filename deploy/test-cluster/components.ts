import path from 'node:path';
import { at, containerdSocket, type Layout, network } from './layout.ts';

export const componentNames = [
  ...(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const),
  ...(['containerd', 'kubelet', 'kube-proxy', 'kube-router'] as const),
] as const;
export type ComponentName = (typeof componentNames)[number];

/** The command of a component: unmodified programs, told to keep to the cluster's folder and its own network. */
export function commandOf(name: ComponentName, layout: Layout): readonly string[] {
  if (name === 'containerd') return ['containerd', '-c', at(layout, 'containerd.toml')];
  if (name === 'kube-router') return [layout.enforcer, ...policyFlags(layout)];
  return [path.join(layout.binaries, 'kubernetes'), name, ...flagsOf[name](layout)];
}

const etcdPort = network.apiPort + 1;
const etcdPeer = `http://127.0.0.1:${network.apiPort + 2}`;

type Kubernetes = Exclude<ComponentName, 'containerd' | 'kube-router'>;
const flagsOf: Readonly<Record<Kubernetes, (layout: Layout) => readonly string[]>> = {
  etcd: (layout) => [
    ...['--name=default', `--data-dir=${at(layout, 'etcd')}`, '--log-level=warn'],
    ...[
      `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
      `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
    ],
    ...[`--listen-peer-urls=${etcdPeer}`, `--initial-advertise-peer-urls=${etcdPeer}`],
    `--initial-cluster=default=${etcdPeer}`,
    // It lives as long as the machine's memory does: nothing of it is to survive a power cut.
    '--unsafe-no-fsync',
  ],
  'kube-apiserver': (layout) => [
    ...[`--etcd-servers=http://127.0.0.1:${etcdPort}`, `--service-cluster-ip-range=${network.services}`],
    ...[
      `--bind-address=${network.node}`,
      `--advertise-address=${network.node}`,
      `--secure-port=${network.apiPort}`,
    ],
    ...[`--client-ca-file=${pki(layout, 'ca.crt')}`, `--tls-cert-file=${pki(layout, 'apiserver.crt')}`],
    `--tls-private-key-file=${pki(layout, 'apiserver.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki(layout, 'sa.pub')}`,
    `--service-account-signing-key-file=${pki(layout, 'sa.key')}`,
    `--kubelet-client-certificate=${pki(layout, 'apiserver-kubelet-client.crt')}`,
    `--kubelet-client-key=${pki(layout, 'apiserver-kubelet-client.key')}`,
    ...[
      `--kubelet-certificate-authority=${pki(layout, 'ca.crt')}`,
      '--kubelet-preferred-address-types=InternalIP',
    ],
    ...['--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction'],
  ],
  'kube-controller-manager': (layout) => [
    ...signedInAs(layout, 'controller-manager'),
    `--secure-port=${network.apiPort + 3}`,
    ...[
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${pki(layout, 'sa.key')}`,
    ],
    ...[`--root-ca-file=${pki(layout, 'ca.crt')}`, `--cluster-signing-cert-file=${pki(layout, 'ca.crt')}`],
    `--cluster-signing-key-file=${pki(layout, 'ca.key')}`,
    ...[
      `--service-cluster-ip-range=${network.services}`,
      '--allocate-node-cidrs=true',
      `--cluster-cidr=${network.pods}`,
    ],
    ...['--enable-hostpath-provisioner=true', `--flex-volume-plugin-dir=${at(layout, 'flex-volumes')}`],
    // A node that is gone is noticed within a test's patience.
    '--node-monitor-grace-period=20s',
    // More at a time than the five that are the default: on a machine that does much else each of their requests takes its time.
    ...['deployment', 'replicaset', 'endpoint', 'service-endpoint'].map(
      (kind) => `--concurrent-${kind}-syncs=25`,
    ),
  ],
  'kube-scheduler': (layout) => [...signedInAs(layout, 'scheduler'), `--secure-port=${network.apiPort + 4}`],
  kubelet: (layout) => [
    `--config=${at(layout, 'kubelet.json')}`,
    ...[
      `--kubeconfig=${at(layout, 'kubelet.kubeconfig')}`,
      `--cert-dir=${at(layout, 'kubelet-certificates')}`,
    ],
    ...['--hostname-override=node1', `--node-ip=${network.node}`, '--root-dir=/var/lib/kubelet'],
  ],
  'kube-proxy': (layout) => [`--config=${at(layout, 'kube-proxy.json')}`],
};

/** It is its part that enforces NetworkPolicies, and no other. */
const policyFlags = (layout: Layout): readonly string[] => [
  ...[`--kubeconfig=${at(layout, 'kube-router.kubeconfig')}`, '--hostname-override=node1'],
  ...[`--service-cluster-ip-range=${network.services}`, '--enable-ipv4=true', '--enable-ipv6=false'],
  // Each change is applied when it is heard of; this is for one that failed, which is not tried again before.
  '--iptables-sync-period=15s',
];

const pki = (layout: Layout, file: string): string => at(layout, 'pki', file);

const signedInAs = (layout: Layout, client: string): readonly string[] => [
  ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
    (flag) => `--${flag}=${at(layout, `${client}.kubeconfig`)}`,
  ),
  ...['--bind-address=127.0.0.1', '--leader-elect=false', '--kube-api-qps=300', '--kube-api-burst=600'],
  `--cert-dir=${at(layout, `${client}-certificates`)}`,
];

/** Configuration files, by name: JSON where the program reads YAML. */
export function configurationFiles(layout: Layout): Readonly<Record<string, string>> {
  return {
    'kubelet.json': JSON.stringify(kubeletConfiguration(layout)),
    'kube-proxy.json': JSON.stringify(kubeProxyConfiguration(layout)),
    'containerd.toml': containerdConfiguration(layout),
    'cni/10-test.conflist': JSON.stringify(cniConfiguration(layout)),
    'resolv.conf': `nameserver ${network.dns}\n`,
  };
}

const kubeletConfiguration = (layout: Layout) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: network.node,
  port: 10_250,
  healthzBindAddress: '127.0.0.1',
  readOnlyPort: 0,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: pki(layout, 'ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: pki(layout, 'kubelet-server.crt'),
  tlsPrivateKeyFile: pki(layout, 'kubelet-server.key'),
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  failSwapOn: false,
  clusterDomain: 'cluster.local',
  clusterDNS: [network.dns],
  resolvConf: at(layout, 'resolv.conf'),
  containerRuntimeEndpoint: `unix://${containerdSocket}`,
  // Images were imported and cannot be fetched again; and the machine's disk is not this node's to judge.
  imageGCHighThresholdPercent: 100,
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '0%',
    'imagefs.available': '0%',
    'nodefs.inodesFree': '0%',
  },
  podLogsDir: at(layout, 'pod-logs'),
  volumePluginDir: at(layout, 'volume-plugins'),
  nodeStatusUpdateFrequency: '4s',
  // What pods have on their volumes is measured so often: a minute, the default, is longer than a test waits for an eviction.
  volumeStatsAggPeriod: '5s',
  // Renewed every quarter of it: a lease that is not renewed is how a lost node is noticed.
  nodeLeaseDurationSeconds: 10,
});

const kubeProxyConfiguration = (layout: Layout) => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  clientConnection: { kubeconfig: at(layout, 'kube-proxy.kubeconfig') },
  clusterCIDR: network.pods,
  hostnameOverride: 'node1',
  bindAddress: network.node,
  healthzBindAddress: '127.0.0.1:10256',
  metricsBindAddress: '127.0.0.1:10249',
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
});

const cniConfiguration = (layout: Layout) => ({
  cniVersion: '0.4.0',
  name: 'test',
  plugins: [
    {
      type: 'ptp',
      ipMasq: false,
      mtu: 1500,
      ipam: {
        type: 'host-local',
        dataDir: at(layout, 'cni-state'),
        ranges: [[{ subnet: network.podsOfNode }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

const unusedPlugins = [
  'io.containerd.internal.v1.opt',
  ...['btrfs', 'zfs', 'devmapper', 'aufs'].map((name) => `io.containerd.snapshotter.v1.${name}`),
  'io.containerd.tracing.processor.v1.otlp',
];

const containerdConfiguration = (layout: Layout): string => `version = 2
root = "${at(layout, 'containerd')}"
state = "/run/containerd"
disabled_plugins = ${JSON.stringify(unusedPlugins)}
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  stream_server_address = "127.0.0.1"
  disable_apparmor = true
  # Lowering it takes a capability that a machine of the CI's may not give.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "${path.join(layout.debian, 'usr/sbin/runc')}"
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${path.join(layout.debian, 'usr/lib/cni')}"
    conf_dir = "${at(layout, 'cni')}"
`;

export const pauseImage = 'localhost/pause:1';

import { network } from './layout.ts';

/** As much as a real one is given by default; memory and processors for that many apps, which nobody uses. */
export const podsOfFakeNode = 110;
export const fakeTaint = 'haic.io/fake-node';
/** On every fake node. */
export const fakeLabel = { 'haic.io/fake-node': 'true' } as const;
export const fakeNodeName = (index: number): string => `fake-${index}`;

const resources = { cpu: '64', memory: '512Gi', 'ephemeral-storage': '1Ti', pods: String(podsOfFakeNode) };

export const nodeOf = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    labels: { ...fakeLabel, 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
  },
  // Nothing lands there that does not say that it may.
  spec: { taints: [{ key: fakeTaint, effect: 'NoSchedule' }] },
});

export const nodeStatusOf = (name: string, now: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: {
    capacity: resources,
    allocatable: resources,
    conditions: ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
      type,
      status: type === 'Ready' ? 'True' : 'False',
      reason: 'Fake',
      message: 'There is no such machine.',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    })),
    nodeInfo: {
      ...{ machineID: name, systemUUID: name, bootID: name, architecture: 'amd64', operatingSystem: 'linux' },
      ...{ kernelVersion: 'none', osImage: 'none', containerRuntimeVersion: 'fake://0' },
      ...{ kubeletVersion: 'fake', kubeProxyVersion: 'fake' },
    },
  },
});

export const leaseOf = (name: string, now: Date) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: 'kube-node-lease' },
  // A microsecond more than JavaScript knows.
  spec: {
    holderIdentity: name,
    leaseDurationSeconds: 40,
    renewTime: now.toISOString().replace('Z', '000Z'),
  },
});

/** What is read of a pod here. */
export interface FakePod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly ports?: readonly { readonly containerPort: number }[];
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** A pod that is said to run, and to be ready, from now on. */
export const runningStatusOf = ({ metadata, spec }: FakePod, podIP: string, now: string) => ({
  status: {
    phase: 'Running',
    ...{ podIP, podIPs: [{ ip: podIP }], hostIP: network.elsewhere, startTime: now },
    conditions: ['PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: now,
    })),
    containerStatuses: spec.containers.map(({ name, image }) => ({
      ...{ name, image, imageID: '', containerID: `fake://${metadata.uid}/${name}` },
      ...{ ready: true, started: true, restartCount: 0, state: { running: { startedAt: now } } },
    })),
  },
});

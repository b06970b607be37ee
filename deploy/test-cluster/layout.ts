import path from 'node:path';

/** Addresses inside a cluster's own network: the same in every cluster, since no two share one. */
export const network = {
  node: '10.89.0.2',
  /** Where nobody is: the way out, and the machines of nodes that are none. */
  elsewhere: '10.89.0.1',
  /** As most clusters have it, by which policies of charts name it. */
  apiPort: 6443,
  services: '10.96.0.0/16',
  firstService: '10.96.0.1',
  dns: '10.96.0.10',
  pods: '10.244.0.0/16',
  podsOfNode: '10.244.0.0/24',
  fakePods: '10.245.0.0/16',
  /** One of them, which is no pod's and answers as one. */
  anyFakePod: '10.245.255.254',
} as const;

export const server = `https://${network.node}:${network.apiPort}`;

/** Where the things of one cluster are, all under its folder. */
export interface Layout {
  readonly folder: string;
  /** Of the programs that were built, and of what was unpacked from Debian packages. */
  readonly binaries: string;
  readonly debian: string;
  /** The program that enforces NetworkPolicies. */
  readonly enforcer: string;
}

export const at = (layout: Pick<Layout, 'folder'>, ...parts: string[]): string =>
  path.join(layout.folder, ...parts);

export const containerdSocket = '/run/containerd.sock';

/** For what runs inside: the cluster's own programs before those of the machine. */
export function insideEnvironment({
  binaries,
  debian,
}: Pick<Layout, 'binaries' | 'debian'>): NodeJS.ProcessEnv {
  const libraries = path.join(debian, 'usr/lib/x86_64-linux-gnu');
  const programs = [binaries, ...['usr/sbin', 'usr/bin', 'sbin'].map((folder) => path.join(debian, folder))];
  return {
    PATH: [...programs, process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin'].join(':'),
    LD_LIBRARY_PATH: libraries,
    XTABLES_LIBDIR: path.join(libraries, 'xtables'),
  };
}

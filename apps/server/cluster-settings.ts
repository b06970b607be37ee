import {
  ConfigError,
  type ConfigOf,
  integer,
  oneOf,
  optional,
  optionalText,
  text,
} from '@haic/kit/config.ts';

const words = (raw: string): readonly string[] =>
  raw
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

/** Where Haic's processes and its apps are pods of a cluster: how they find and know each other, and what apps run as. */
export const clusterSettings = {
  masterKeyFile: optionalText({
    env: 'HAIC_MASTER_KEY_FILE',
    doc: 'File of the master key (64 hexadecimal digits), from which all other secrets follow; by default secrets/master-key in HAIC_HOME.',
  }),
  coreAddress: optional(
    {
      env: 'HAIC_CORE_ADDRESS',
      doc: 'host:port at which router and drive reach core, where they do not run on one machine. They prove to each other that they have the same master key.',
    },
    parseAddress,
  ),
  corePort: optional(
    {
      env: 'HAIC_CORE_PORT',
      doc: 'Port on which core listens for router and drive of other machines, beside its Unix socket; on the address of HAIC_HOST.',
    },
    parsePort,
  ),
  objectsAddress: optional(
    {
      env: 'HAIC_OBJECTS_ADDRESS',
      doc: 'host:port at which core reaches the objects of Drive, where these are on a volume that only Drive has. Both prove to each other that they have the same master key.',
    },
    parseAddress,
  ),
  objectsPort: optional(
    {
      env: 'HAIC_OBJECTS_PORT',
      doc: 'Port on which Drive listens for core of another machine; on the address of HAIC_HOST.',
    },
    parsePort,
  ),
  cliFile: optionalText({
    env: 'HAIC_CLI_FILE',
    doc: 'The command line as one file, for download; set by `haic up`.',
  }),
  runtime: oneOf(
    {
      env: 'HAIC_RUNTIME',
      doc: 'Where apps run: as processes of this machine (local), or as pods of a cluster (kubernetes).',
    },
    ['local', 'kubernetes'],
    'local',
  ),
  appsNamespace: optionalText({
    env: 'HAIC_APPS_NAMESPACE',
    doc: 'Kubernetes: the namespace of apps, which has to be there; Haic touches no other one.',
  }),
  appImage: optionalText({
    env: 'HAIC_APP_IMAGE',
    doc: 'Kubernetes: the image that apps run in, as a pod names it; pinned by a digest wherever a registry is asked.',
  }),
  appUid: integer({ env: 'HAIC_APP_UID', doc: 'Kubernetes: the user and group that apps run as.' }, 10_001, {
    min: 1,
  }),
  appPythons: optional(
    {
      env: 'HAIC_APP_PYTHONS',
      doc: 'Kubernetes: versions of Python that the image has, the default first; 3.11 unless said otherwise.',
    },
    parsePythons,
  ),
  appPullPolicy: oneOf(
    { env: 'HAIC_APP_PULL_POLICY', doc: 'Kubernetes: when the image of apps is pulled.' },
    ['Always', 'IfNotPresent', 'Never'],
    'IfNotPresent',
  ),
  appPullSecrets: optional(
    {
      env: 'HAIC_APP_PULL_SECRETS',
      doc: 'Kubernetes: names of Secrets in the namespace to pull it with, with commas between them.',
    },
    words,
  ),
  storageClass: optionalText({
    env: 'HAIC_STORAGE_CLASS',
    doc: "Kubernetes: the storage class of apps' volumes, instead of the cluster's own default.",
  }),
  gpuResource: optionalText({
    env: 'HAIC_GPU_RESOURCE',
    doc: 'Kubernetes: what a GPU is called there, if not nvidia.com/gpu.',
  }),
  kubeconfig: optionalText({
    env: 'HAIC_KUBECONFIG',
    doc: 'Kubernetes: file that says where the cluster is; by default the service account of the pod that Haic runs in.',
  }),
  helm: text(
    { env: 'HAIC_HELM', doc: 'Kubernetes: the Helm program (version 3), by which apps are installed.' },
    'helm',
  ),
  appChart: optionalText({
    env: 'HAIC_APP_CHART',
    doc: 'Kubernetes: the chart of apps; by default the one of this build.',
  }),
};

type ClusterSettings = ConfigOf<typeof clusterSettings>;

/** What apps run as in a cluster; throws ConfigError for what has to be said and was not. */
export function requireCluster(settings: ClusterSettings): { namespace: string; image: string } {
  const { appsNamespace: namespace, appImage: image } = settings;
  const missing = [
    ...(namespace === undefined ? ['HAIC_APPS_NAMESPACE: is required with HAIC_RUNTIME=kubernetes.'] : []),
    ...(image === undefined ? ['HAIC_APP_IMAGE: is required with HAIC_RUNTIME=kubernetes.'] : []),
  ];
  if (namespace === undefined || image === undefined) throw new ConfigError(missing);
  return { namespace, image };
}

function parsePort(raw: string): number {
  const port = Number(raw);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`must be a port from 1 to 65535, not "${raw}".`);
  return port;
}

function parseAddress(raw: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^:[\]/]+):(\d+)$/i.exec(raw) ?? [];
  if (host === undefined || port === undefined) throw new Error(`must be host:port, not "${raw}".`);
  return { host: host.replace(/^\[|\]$/g, ''), port: parsePort(port) };
}

function parsePythons(raw: string): readonly string[] {
  const versions = words(raw);
  const wrong = versions.filter((version) => !/^3\.\d{1,2}$/.test(version));
  if (versions.length === 0 || wrong.length > 0)
    throw new Error(`must be versions such as 3.11, with commas between them, not "${raw}".`);
  return versions;
}

import { createHash } from 'node:crypto';
import { canonical } from '../merge.ts';
import type { EnvVar, PodTemplate, Probe, VolumeMount, WorkloadSpec } from '../port.ts';
import { annotationKeys, containerName, labelKeys, serviceNameOf } from './names.ts';
import { defaultUid, gpuResourceOf, type KubernetesRuntimeOptions } from './options.ts';

type Template = Omit<PodTemplate, 'secret'>;
/** An object as it is sent. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

export type ControllerKind = 'Deployment' | 'Job';

/** What goes on is a Deployment's; what may end is a Job's. */
export const kindFor = ({ restartPolicy }: Pick<PodTemplate, 'restartPolicy'>): ControllerKind =>
  restartPolicy === 'Always' ? 'Deployment' : 'Job';

export const apiVersionOf: Readonly<Record<ControllerKind, string>> = {
  Deployment: 'apps/v1',
  Job: 'batch/v1',
};

/** Numbers for the ports that were declared without one: in a network of its own a pod may have any. */
export function portsOf({ ports }: Pick<PodTemplate, 'ports'>): Readonly<Record<string, number>> {
  const taken = new Set(ports.flatMap(({ port }) => port ?? []));
  let next = 8_080;
  const numbers = ports.map(({ name, port }) => {
    if (port !== undefined) return [name, port];
    while (taken.has(next)) next += 1;
    taken.add(next);
    return [name, next];
  });
  return Object.fromEntries(numbers) as Record<string, number>;
}

/** Tells one template from another; the secret's value is in it by the name of its Secret alone. */
export const revisionOf = (template: Template, secretName: string | undefined): string =>
  createHash('sha256')
    .update(`${canonical(template)}\0${secretName ?? ''}`)
    .digest('hex')
    .slice(0, 20);

/** The controller without what is the metadata's: labels of people's, annotations, replicas. */
export function renderController(
  { name, template }: { name: string; template: Template },
  secretName: string | undefined,
  options: KubernetesRuntimeOptions,
): Manifest {
  const kind = kindFor(template);
  const labels = { [labelKeys.workload]: name };
  const pod = {
    metadata: { labels: { ...labels, [labelKeys.revision]: revisionOf(template, secretName) } },
    spec: renderPod(template, secretName, options),
  };
  const spec =
    kind === 'Deployment'
      ? // One after the other: two at once would share a volume, and a person's session.
        {
          selector: { matchLabels: labels },
          strategy: { type: 'Recreate' },
          revisionHistoryLimit: 0,
          template: pod,
        }
      : // How often the process may be started again is the kubelet's matter, which waits longer each time.
        { backoffLimit: template.restartPolicy === 'Never' ? 0 : 2 ** 31 - 1, template: pod };
  return {
    apiVersion: apiVersionOf[kind],
    kind,
    metadata: {
      name,
      namespace: options.namespace,
      labels,
      annotations: {
        [annotationKeys.template]: JSON.stringify(template),
        ...(secretName === undefined ? {} : { [annotationKeys.secret]: secretName }),
      },
    },
    spec,
  };
}

/** What is changed without replacing the pod. */
export function renderMetadata(
  kind: ControllerKind,
  { name, labels, annotations, replicas }: Pick<WorkloadSpec, 'name' | 'labels' | 'annotations' | 'replicas'>,
  options: KubernetesRuntimeOptions,
  from: { readonly resourceVersion: string; readonly created: string | undefined },
): Manifest {
  const { resourceVersion, created } = from;
  const own = {
    [annotationKeys.complete]: 'true',
    ...(created !== undefined && { [annotationKeys.created]: created }),
  };
  return {
    apiVersion: apiVersionOf[kind],
    kind,
    metadata: {
      name,
      namespace: options.namespace,
      // What was read is what is changed; somebody else's change in between is a conflict.
      resourceVersion,
      labels,
      annotations: { ...annotations, ...own },
    },
    spec: kind === 'Deployment' ? { replicas } : { suspend: replicas === 0 },
  };
}

export function renderService(
  { name, template }: { name: string; template: Template },
  namespace: string,
): Manifest | undefined {
  const ports = Object.entries(portsOf(template));
  if (ports.length === 0) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: serviceNameOf(name), namespace, labels: { [labelKeys.workload]: name } },
    spec: {
      selector: { [labelKeys.workload]: name },
      // A process that is not ready yet has something to say too: how far it is.
      publishNotReadyAddresses: true,
      ports: ports.map(([port, number]) => ({
        name: servicePortName(port),
        port: number,
        targetPort: number,
      })),
    },
  };
}

/** Kubernetes knows names of ports up to 15 characters; who uses ours asks by number. */
const servicePortName = (name: string): string =>
  name.length <= 15 && /[a-z]/.test(name) && !name.includes('--')
    ? name
    : `p${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;

function renderPod(
  template: Template,
  secretName: string | undefined,
  options: KubernetesRuntimeOptions,
): Readonly<Record<string, unknown>> {
  const image = options.images[template.image];
  if (image === undefined) throw new Error(`There is no image ${template.image}.`);
  const uid = image.uid ?? defaultUid;
  const { nodeSelector, tolerations } = template;
  const mounts = withTemporary(template.volumes);
  return {
    // As Pod Security `restricted` wants it; and nothing in the pod may ask the API server anything.
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: uid,
      fsGroup: uid,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    // The first process of the pod's is then the sandbox's: it reaps what loses its parent, and the container's own gets the signals
    // that a first process does not.
    shareProcessNamespace: true,
    restartPolicy: template.restartPolicy,
    terminationGracePeriodSeconds: Math.ceil(template.terminationGracePeriodSeconds),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations: tolerations.map(renderToleration) }),
    ...(options.imagePullSecrets === undefined
      ? {}
      : { imagePullSecrets: options.imagePullSecrets.map((name) => ({ name })) }),
    containers: [
      {
        name: containerName,
        image: image.reference,
        imagePullPolicy: options.imagePullPolicy ?? 'IfNotPresent',
        command: template.command.map(verbatim),
        ...(template.workingDirectory === undefined ? {} : { workingDir: template.workingDirectory }),
        env: template.env.map((variable) => renderVariable(variable, template, secretName)),
        ports: Object.entries(portsOf(template)).map(([name, containerPort]) => ({
          name: servicePortName(name),
          containerPort,
        })),
        resources: renderResources(template, options),
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: mounts.map(({ name, mountPath, readOnly }) => ({
          name,
          mountPath,
          ...(readOnly && { readOnly }),
        })),
        ...renderProbes(template),
      },
    ],
    volumes: mounts.map(({ name, source }) => ({ name, ...renderSource(source, secretName) })),
  };
}

/** `$(NAME)` would be replaced by Kubernetes; what was applied is what the process gets. */
const verbatim = (text: string): string => text.replaceAll('$', '$$$$');

/** The file system of the image is read-only; nearly every program wants a place for temporary files. */
function withTemporary(volumes: readonly VolumeMount[]): readonly VolumeMount[] {
  if (volumes.some(({ mountPath }) => mountPath === '/tmp')) return volumes;
  const name = volumes.some((volume) => volume.name === 'tmp') ? 'tmp-of-haic' : 'tmp';
  return [...volumes, { name, mountPath: '/tmp', source: { kind: 'ephemeral' } }];
}

function renderVariable(variable: EnvVar, template: Template, secretName: string | undefined) {
  const { name } = variable;
  if ('value' in variable) return { name, value: verbatim(variable.value) };
  if ('secretKey' in variable)
    return { name, valueFrom: { secretKeyRef: { name: secretName, key: variable.secretKey } } };
  return { name, value: String(portsOf(template)[variable.portName]) };
}

function renderResources({ resources }: Template, options: KubernetesRuntimeOptions) {
  const { memoryLimit, memoryRequest, cpuLimit, cpuRequest, gpus } = resources;
  const gpu = gpus === undefined ? {} : { [gpuResourceOf(options)]: String(gpus) };
  return {
    limits: { ...quantity('memory', memoryLimit), ...quantity('cpu', cpuLimit, 'm'), ...gpu },
    requests: { ...quantity('memory', memoryRequest), ...quantity('cpu', cpuRequest, 'm'), ...gpu },
  };
}

const quantity = (name: string, amount: number | undefined, unit = '') =>
  amount === undefined ? {} : { [name]: `${Math.ceil(amount)}${unit}` };

function renderSource(source: VolumeMount['source'], secretName: string | undefined) {
  switch (source.kind) {
    case 'persistent':
      return { persistentVolumeClaim: { claimName: source.claim } };
    case 'ephemeral':
      return { emptyDir: {} };
    case 'memory':
      return { emptyDir: { medium: 'Memory', sizeLimit: String(source.sizeBytes) } };
    case 'secret':
      return {
        secret: { secretName, defaultMode: 0o400, items: source.keys.map((key) => ({ key, path: key })) },
      };
  }
}

function renderProbes(template: Template) {
  const numbers = portsOf(template);
  const given = {
    startupProbe: template.startupProbe,
    readinessProbe: template.readinessProbe,
    livenessProbe: template.livenessProbe,
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, probe]) =>
      probe === undefined ? [] : [[name, renderProbe(probe, numbers[probe.check.port] ?? 0)]],
    ),
  );
}

/** Kubernetes counts in whole seconds: what is more frequent is asked once a second. */
function renderProbe(probe: Probe, port: number) {
  const { check, initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold } = probe;
  const seconds = (name: string, value: number | undefined, least: number) =>
    value === undefined ? {} : { [name]: Math.max(least, Math.ceil(value)) };
  return {
    ...(check.kind === 'http' ? { httpGet: { path: check.path, port } } : { tcpSocket: { port } }),
    ...seconds('initialDelaySeconds', initialDelaySeconds, 0),
    ...seconds('periodSeconds', periodSeconds, 1),
    ...seconds('timeoutSeconds', timeoutSeconds, 1),
    ...seconds('failureThreshold', failureThreshold, 1),
  };
}

const renderToleration = ({ key, value, effect }: NonNullable<PodTemplate['tolerations']>[number]) => ({
  key,
  ...(value === undefined ? { operator: 'Exists' } : { operator: 'Equal', value }),
  ...(effect === undefined ? {} : { effect }),
});

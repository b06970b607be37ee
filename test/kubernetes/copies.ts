import { gunzipSync, gzipSync } from 'node:zlib';
import { ApiError, type KubeApi } from '@haic/platform/runtime/kubernetes/api.ts';
import { fakeLabel, fakeTaint } from '@haic/test-cluster/fake-objects.ts';
import { network } from '@haic/test-cluster/layout.ts';
import { run } from '@haic/test-cluster/run.ts';

interface Live {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}
interface PodSpec {
  readonly volumes?: readonly { readonly name: string; readonly persistentVolumeClaim?: unknown }[];
}
interface Deployment extends Live {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}
interface Service extends Live {
  readonly spec: Readonly<Record<string, unknown>>;
}
interface Secret extends Live {
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

/** All that Helm and Haic have written of one instance. */
interface Written {
  readonly deployment: Deployment;
  readonly service: Service;
  readonly secret: Secret;
  readonly release: Omit<Secret, 'data'>;
  /** What the release's Secret holds. */
  readonly stored: unknown;
}

export interface Original {
  readonly id: string;
  readonly owner: { readonly subject: string; readonly username: string };
  readonly createdAt: string;
  readonly text: string;
}

const prefix = 'app-';
const annotation = {
  secret: 'runtime.haic.io/secret',
  owner: 'haic.io/owner',
  username: 'haic.io/owner-username',
  createdAt: 'haic.io/created-at',
} as const;

/** An instance as a real start by a real `helm` has left it in the cluster. */
export async function readOriginal(
  api: KubeApi,
  namespace: string,
  id: string,
  signal: AbortSignal,
): Promise<Original> {
  const get = <T>(path: string) => api.json<T>({ path, signal });
  const name = `${prefix}${id}`;
  const core = `/api/v1/namespaces/${namespace}`;
  const deployment = await get<Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
  const annotations = deployment.metadata.annotations ?? {};
  const release = await get<Secret>(`${core}/secrets/sh.helm.release.v1.${name}.v1`);
  const { data, ...releaseRest } = release;
  const packed = Buffer.from(Buffer.from(data.release ?? '', 'base64').toString(), 'base64');
  const written: Written = {
    deployment: bare(deployment),
    service: bare(await get<Service>(`${core}/services/${name}`)),
    secret: bare(await get<Secret>(`${core}/secrets/${annotations[annotation.secret] ?? ''}`)),
    release: bare(releaseRest),
    stored: JSON.parse(gunzipSync(packed).toString()),
  };
  const owner = {
    subject: annotations[annotation.owner] ?? '',
    username: annotations[annotation.username] ?? '',
  };
  return {
    id,
    owner,
    createdAt: annotations[annotation.createdAt] ?? '',
    text: JSON.stringify(onFakeNode(written)),
  };
}

/** Without what the API server adds. */
function bare<T extends Live>(object: T): T {
  const { name, labels, annotations } = object.metadata;
  const { 'deployment.kubernetes.io/revision': _, ...others } = annotations ?? {};
  return {
    ...object,
    metadata: { name, ...(labels && { labels }), annotations: others },
    status: undefined,
  };
}

/** Nothing runs there, so it wants no volume. */
function onFakeNode(written: Written): Written {
  const { deployment, service } = written;
  const { template } = deployment.spec;
  const volumes = (template.spec.volumes ?? []).map((volume) =>
    volume.persistentVolumeClaim === undefined ? volume : { name: volume.name, emptyDir: {} },
  );
  const tolerations = [{ key: fakeTaint, operator: 'Exists' }];
  const spec = { ...template.spec, volumes, nodeSelector: fakeLabel, tolerations };
  const { clusterIP: _, clusterIPs: __, selector: ___, ...serviceSpec } = service.spec;
  const { labels } = service.metadata;
  return {
    ...written,
    deployment: { ...deployment, spec: { ...deployment.spec, template: { ...template, spec } } },
    // Without a selector it is no work for the controllers of endpoints, who look at all pods for each, nor, by its label, for kube-proxy, whom each
    // change among thousands takes seconds of a small machine: whoever starts something would wait for both.
    service: {
      ...service,
      metadata: {
        ...service.metadata,
        labels: { ...labels, 'service.kubernetes.io/service-proxy-name': 'none' },
      },
      spec: serviceSpec,
    },
  };
}

export interface Copy {
  readonly id: string;
  readonly owner: { readonly subject: string; readonly username: string };
  /** ISO 8601. */
  readonly createdAt: string;
  /** Of its Service, of `addressesOfCopies`, if it is free: for one of its own choice the API server lets one Service wait for the other. */
  readonly clusterIP: string;
}

/** Of the range of Services (`network.services`): half of the upper half. */
export const addressesOfCopies = '10.96.128.0/18';

export const addressOfCopy = (index: number): string =>
  `10.96.${128 + Math.floor(index / 250)}.${1 + (index % 250)}`;

/**
 * In the network of a cluster of fake nodes: Services of copies are answered there, whichever of their pods is asked. After kube-proxy has had its
 * say (its chains are at -100): an address of the range may be one that the API server has chosen for a Service of another kind.
 */
export async function answerForCopies(signal: AbortSignal): Promise<void> {
  const rules = `table ip copies {
    chain output {
      type nat hook output priority -99;
      ip daddr ${addressesOfCopies} dnat to ${network.anyFakePod}
    }
  }`;
  await run('nft', ['-f', '-'], { input: rules, signal });
}

/**
 * The same instance for somebody else, as `helm install` would write it: the release, and the objects of its manifest. Thousands of `helm`
 * processes take an hour; this takes minutes. Its pods are bound to fake nodes.
 */
export async function writeCopy(
  api: KubeApi,
  namespace: string,
  original: Original,
  copy: Copy,
  signal: AbortSignal,
): Promise<void> {
  const text = original.text
    .replaceAll(original.id, copy.id)
    .replaceAll(original.owner.subject, copy.owner.subject)
    .replaceAll(original.owner.username, copy.owner.username)
    .replaceAll(original.createdAt, copy.createdAt);
  const { deployment, service, secret, release, stored } = JSON.parse(text) as Written;
  const core = `/api/v1/namespaces/${namespace}`;
  const post = <T>(path: string, body: unknown) =>
    api.json<T>({ method: 'POST', path, query: { fieldManager: 'helm' }, body, signal });
  const packed = Buffer.from(gzipSync(JSON.stringify(stored)).toString('base64')).toString('base64');
  const deploy = async () => {
    const { metadata } = await post<Live & { readonly metadata: { readonly uid: string } }>(
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
      deployment,
    );
    const owner = {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', blockOwnerDeletion: true },
      ...{ name: metadata.name, uid: metadata.uid },
    };
    await post(`${core}/secrets`, { ...secret, metadata: { ...secret.metadata, ownerReferences: [owner] } });
  };
  const serve = async () => {
    const asked = { ...service, spec: { ...service.spec, clusterIP: copy.clusterIP } };
    await post(`${core}/services`, asked).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 422)) throw error;
      // It is somebody's by chance.
      return post(`${core}/services`, service);
    });
  };
  await Promise.all([deploy(), serve(), post(`${core}/secrets`, { ...release, data: { release: packed } })]);
}

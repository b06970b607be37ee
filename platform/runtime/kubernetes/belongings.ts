import { randomBytes } from 'node:crypto';
import { conflict } from '@haic/kit/errors.ts';
import type { PodTemplate } from '../port.ts';
import { isConflict, isGone, type KubeApi } from './api.ts';
import { listMetadata } from './metadata-list.ts';
import { fieldManagers, labelKeys, serviceNameOf, workloadOf } from './names.ts';
import type { Claim, Controller, KubeObject, Secret, Service } from './objects.ts';
import type { KubernetesRuntimeOptions } from './options.ts';
import { apiVersionOf, renderService } from './render.ts';
import { collections, type View } from './view.ts';

type Template = Omit<PodTemplate, 'secret'>;
const defaultVolumeBytes = 10 * 2 ** 30;

/** What a workload has besides its controller: a Secret, a Service, volumes. The cluster removes it with the controller. */
export interface Belongings {
  /** The name of the Secret that holds these values; made if there is none. Undefined for an empty one. */
  secretFor(
    name: string,
    values: PodTemplate['secret'],
    current: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** Takes the volumes for the workload. Throws `workload_conflict` when another one has one of them. */
  takeClaims(name: string, template: Template, signal: AbortSignal): Promise<void>;
  /** Makes the Service, which is the controller's. */
  serve(controller: Controller, template: Template, signal: AbortSignal): Promise<void>;
  /** Gives the Secret to the controller, and removes those of earlier templates, which a new one has none of. */
  settle(
    controller: Controller,
    secretName: string | undefined,
    isNew: boolean,
    signal: AbortSignal,
  ): Promise<void>;
  /** Volumes go with the controller (at once, where there is none), or are nobody's from now on. */
  releaseClaims(
    name: string,
    controller: Controller | undefined,
    volumes: 'keep' | 'delete',
    signal: AbortSignal,
  ): Promise<void>;
}

const mergePatch = 'application/merge-patch+json';

export function createBelongings(api: KubeApi, view: View, options: KubernetesRuntimeOptions): Belongings {
  const paths = collections(options.namespace);

  const found = <T>(path: string, signal: AbortSignal): Promise<T | undefined> =>
    api.json<T>({ path, signal }).catch((error) => {
      if (isGone(error)) return undefined;
      throw error;
    });

  /** Whoever removes a workload past Haic leaves its volumes behind, still under its name. */
  async function isThere(workload: string, signal: AbortSignal): Promise<boolean> {
    for (const collection of [paths.deployments, paths.jobs])
      if ((await found<Controller>(`${collection}/${workload}`, signal)) !== undefined) return true;
    return false;
  }

  async function takeClaim(
    name: string,
    claim: string,
    sizeBytes: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `${paths.claims}/${claim}`;
    const existing = await found<Claim>(path, signal);
    if (existing === undefined) {
      const body = renderClaim(
        name,
        claim,
        sizeBytes ?? options.volumeBytes ?? defaultVolumeBytes,
        options.storageClass,
      );
      view.claims.seen(await api.json<Claim>({ method: 'POST', path: paths.claims, body, signal }));
      return;
    }
    const owner = workloadOf(existing);
    if (existing.metadata.deletionTimestamp !== undefined)
      throw conflict(
        'workload_conflict',
        `The volume ${claim} is just being removed. Try again in a moment.`,
      );
    if (owner === name) return;
    if (owner === undefined && existing.metadata.labels?.[labelKeys.kept] === undefined)
      throw conflict('workload_conflict', `There is a volume ${claim} in the cluster that is not Haic's.`);
    if (owner !== undefined && (await isThere(owner, signal)))
      throw conflict('workload_conflict', `The volume ${claim} is used by another workload.`);
    const { resourceVersion } = existing.metadata;
    const labels = { [labelKeys.workload]: name, [labelKeys.kept]: null };
    const body = { metadata: { resourceVersion, labels } };
    view.claims.seen(await api.json<Claim>({ method: 'PATCH', path, contentType: mergePatch, body, signal }));
  }

  return {
    async secretFor(name, values, current, signal) {
      if (Object.keys(values).length === 0) return undefined;
      const data = Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      );
      const existing =
        current === undefined ? undefined : await found<Secret>(`${paths.secrets}/${current}`, signal);
      if (existing !== undefined && hasSame(existing.data ?? {}, data)) return current;
      // By chance, not by content: the name is seen by who may not see the values.
      const secretName = `${name}-${randomBytes(5).toString('hex')}`;
      const metadata = { name: secretName, labels: { [labelKeys.workload]: name } };
      const body = { apiVersion: 'v1', kind: 'Secret', metadata, immutable: true, data };
      await api.json({ method: 'POST', path: paths.secrets, body, signal });
      return secretName;
    },
    async takeClaims(name, template, signal) {
      for (const { source } of template.volumes) {
        if (source.kind !== 'persistent') continue;
        await takeClaim(name, source.claim, source.sizeBytes, signal).catch(async (error) => {
          // Somebody else was quicker: now it is there.
          if (!isConflict(error)) throw error;
          await takeClaim(name, source.claim, source.sizeBytes, signal);
        });
      }
    },
    async serve(controller, template, signal) {
      const { name } = controller.metadata;
      const ownerReferences = [ownerOf(controller)];
      const service = renderService({ name, template }, options.namespace);
      if (service !== undefined) {
        const path = `${paths.services}/${serviceNameOf(name)}`;
        const body = { ...service, metadata: { ...service.metadata, ownerReferences } };
        view.services.seen(await apply<Service>(api, path, body, fieldManagers.template, signal));
      }
    },
    async settle(controller, secretName, isNew, signal) {
      const { name, uid } = controller.metadata;
      const pathOf = (secret: string) => `${paths.secrets}/${secret}`;
      const give = async (secret: string): Promise<void> => {
        const body = { metadata: { ownerReferences: [ownerOf(controller)] } };
        await api.json({ method: 'PATCH', path: pathOf(secret), contentType: mergePatch, body, signal });
      };
      // Whatever a list selects, the server looks at each of thousands of Secrets for it: a start does without.
      if (isNew) return secretName === undefined ? undefined : give(secretName);
      const selector = `${labelKeys.workload}=${name}`;
      for await (const { metadata } of listMetadata(api, paths.secrets, selector, signal))
        if (metadata.name !== secretName)
          await api.json({ method: 'DELETE', path: pathOf(metadata.name), signal }).catch(ignoreGone);
        else if (metadata.ownerReferences?.[0]?.uid !== uid) await give(metadata.name);
    },
    async releaseClaims(name, controller, volumes, signal) {
      const labels = { [labelKeys.workload]: null, [labelKeys.kept]: 'true' };
      for (const { metadata } of view.claims.group(name)) {
        const path = `${paths.claims}/${metadata.name}`;
        if (volumes === 'delete' && controller === undefined) {
          await api.json({ method: 'DELETE', path, signal }).catch(ignoreGone);
          continue;
        }
        const change =
          controller !== undefined && volumes === 'delete'
            ? { ownerReferences: [ownerOf(controller)] }
            : { labels };
        const body = { metadata: change };
        const call = { method: 'PATCH', path, contentType: mergePatch, body, signal } as const;
        await api.json<Claim>(call).then(view.claims.seen, ignoreGone);
      }
    },
  };
}

/** Server-side apply: the fields that are ours become so; the rest stays whoever's it is. */
export function apply<T extends KubeObject>(
  api: KubeApi,
  path: string,
  body: unknown,
  fieldManager: string,
  signal: AbortSignal,
): Promise<T> {
  const query = { fieldManager, force: true };
  return api.json<T>({
    method: 'PATCH',
    path,
    query,
    contentType: 'application/apply-patch+yaml',
    body,
    signal,
  });
}

/** Whoever removes the controller, also with kubectl, removes what is its own. */
const ownerOf = ({ kind, metadata }: Controller) => ({
  apiVersion: apiVersionOf[kind],
  kind,
  name: metadata.name,
  uid: metadata.uid,
  blockOwnerDeletion: true,
});

const renderClaim = (
  workload: string,
  name: string,
  bytes: number,
  storageClassName: string | undefined,
) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, labels: { [labelKeys.workload]: workload } },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: String(bytes) } },
    ...(storageClassName === undefined ? {} : { storageClassName }),
  },
});

function ignoreGone(error: unknown): void {
  if (!isGone(error)) throw error;
}

const hasSame = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([key, value]) => b[key] === value);

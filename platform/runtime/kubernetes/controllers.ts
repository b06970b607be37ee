import { conflict, invalid, notFound } from '@haic/kit/errors.ts';
import { canonical, merged } from '../merge.ts';
import type { PodTemplate, Runtime, WorkloadSpec } from '../port.ts';
import { checkMetadata } from '../validate.ts';
import { isConflict, isGone, type KubeApi } from './api.ts';
import { apply, type Belongings } from './belongings.ts';
import { createdAtOf, replicasOf, templateOf } from './facts.ts';
import { annotationKeys, fieldManagers, workloadOf } from './names.ts';
import type { News } from './news.ts';
import type { Controller, Secret } from './objects.ts';
import type { KubernetesRuntimeOptions } from './options.ts';
import { theirs } from './present.ts';
import { type ControllerKind, kindFor, renderController, renderMetadata } from './render.ts';
import { collections, controllerOf, type View } from './view.ts';

export type Metadata = Pick<WorkloadSpec, 'name' | 'labels' | 'annotations' | 'replicas'>;
export type Change = Parameters<Runtime['patch']>[1];

/** Others write to the same objects (the cluster's own controllers do all the time); who loses a race reads again. */
const attempts = 20;

/** What is asked of workloads, as writes to the API. Each can be cut off at any point and be asked for again. */
export interface Controllers {
  apply(spec: WorkloadSpec, signal: AbortSignal): Promise<void>;
  patch(name: string, change: Change, signal: AbortSignal): Promise<void>;
  remove(name: string, volumes: 'keep' | 'delete', signal: AbortSignal): Promise<void>;
}

/** What another way of writing builds on. */
export interface ApiControllers extends Controllers {
  /** As it is now, if it is a workload's; throws `workload_conflict` when it is not, or is on its way out. */
  read(name: string, signal: AbortSignal): Promise<Controller | undefined>;
  /** Like `read`, also while it is on its way out; undefined for what is no workload's. */
  readLeaving(name: string, signal: AbortSignal): Promise<Controller | undefined>;
  /** Until the controller is gone, and the last process of it with it. */
  untilGone(controller: Controller, signal: AbortSignal): Promise<void>;
}

export function createControllers(context: {
  readonly api: KubeApi;
  readonly view: View;
  readonly belongings: Belongings;
  readonly news: News;
  readonly options: KubernetesRuntimeOptions;
}): ApiControllers {
  const { api, view, belongings, news, options } = context;
  const paths = collections(options.namespace);
  const pathOf = (kind: ControllerKind, name: string): string =>
    `${kind === 'Deployment' ? paths.deployments : paths.jobs}/${name}`;
  const seen = (controller: Controller): Controller => {
    if (controller.kind === 'Deployment') view.deployments.seen(controller);
    else view.jobs.seen(controller);
    return controller;
  };

  async function read(name: string, signal: AbortSignal): Promise<Controller | undefined> {
    for (const kind of ['Deployment', 'Job'] as const) {
      const found = await api.json<Controller>({ path: pathOf(kind, name), signal }).catch((error) => {
        if (isGone(error)) return undefined;
        throw error;
      });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async function readOurs(name: string, signal: AbortSignal): Promise<Controller | undefined> {
    const found = await read(name, signal);
    if (found === undefined) return undefined;
    if (workloadOf(found) !== name)
      throw conflict(
        'workload_conflict',
        `There is a ${found.kind} ${name} in the cluster that is not Haic's.`,
      );
    if (found.metadata.deletionTimestamp !== undefined)
      throw conflict('workload_conflict', `${name} is just being removed. Try again in a moment.`);
    return found;
  }

  /** Changes labels, annotations and replicas from what they were read as. */
  async function applyMetadata(
    from: Controller,
    metadata: Metadata,
    signal: AbortSignal,
    created = from.metadata.annotations?.[annotationKeys.created],
  ): Promise<void> {
    const { resourceVersion } = from.metadata;
    const body = renderMetadata(from.kind, metadata, options, { resourceVersion, created });
    seen(
      await apply<Controller>(api, pathOf(from.kind, metadata.name), body, fieldManagers.metadata, signal),
    );
  }

  /** Replaces the template, or makes the controller, which runs nothing before its metadata says so. */
  async function applyTemplate(
    name: string,
    template: Omit<PodTemplate, 'secret'>,
    secretName: string | undefined,
    isNew: boolean,
    signal: AbortSignal,
  ): Promise<Controller> {
    const kind = kindFor(template);
    const body = renderController({ name, template }, secretName, options);
    const idle = kind === 'Deployment' ? { replicas: 0 } : { suspend: true };
    const whole = isNew ? { ...body, spec: { ...body.spec, ...idle } } : body;
    return apply<Controller>(api, pathOf(kind, name), whole, fieldManagers.template, signal);
  }

  async function applyOnce(
    { template: given, ...metadata }: WorkloadSpec,
    signal: AbortSignal,
    createdBefore?: string,
  ): Promise<void> {
    const { secret, ...template } = given;
    const { name } = metadata;
    let existing = await readOurs(name, signal);
    let created = createdBefore;
    await belongings.takeClaims(name, template, signal);
    const current = existing?.metadata.annotations?.[annotationKeys.secret];
    let secretName = await belongings.secretFor(name, secret, current, signal);
    const isComplete = existing?.metadata.annotations?.[annotationKeys.complete] !== undefined;
    const before = existing === undefined ? undefined : templateOf(existing);
    const isSame = isComplete && secretName === current && canonical(template) === canonical(before);
    if (existing !== undefined && isSame) return applyMetadata(existing, metadata, signal);
    // A job's template cannot be changed, nor one kind of controller into another.
    if (existing !== undefined && (existing.kind === 'Job' || existing.kind !== kindFor(template))) {
      await discard(existing, signal);
      created = createdAtOf(existing);
      existing = undefined;
      // It went with the one that it belonged to.
      if (secretName === current) secretName = await belongings.secretFor(name, secret, undefined, signal);
    }
    const isNew = existing === undefined || !isComplete;
    const made = await applyTemplate(name, template, secretName, isNew, signal);
    await belongings.serve(made, template, signal);
    await belongings.settle(made, secretName, existing === undefined, signal);
    await applyMetadata((await readOurs(name, signal)) ?? made, metadata, signal, created);
  }

  async function patchOnce(name: string, change: Change, signal: AbortSignal): Promise<void> {
    const existing = await readOurs(name, signal);
    if (existing === undefined) throw notFound(`The workload ${name}`);
    const metadata = changed(existing, change);
    if (existing.kind === 'Job' && metadata.replicas === 1 && replicasOf(existing) === 0)
      return runAgain(existing, metadata, signal);
    await applyMetadata(existing, metadata, signal);
  }

  /** A job that has ended does not begin again, nor says at once that it has ended: another one takes its place. */
  async function runAgain(job: Controller, metadata: Metadata, signal: AbortSignal): Promise<void> {
    const template = templateOf(job);
    if (template === undefined)
      throw invalid('invalid_workload', `${metadata.name} has lost its template. Make it anew.`);
    const secretName = job.metadata.annotations?.[annotationKeys.secret];
    const secret = secretName === undefined ? {} : await valuesOf(secretName, signal);
    await discard(job, signal);
    await applyOnce({ ...metadata, template: { ...template, secret } }, signal, createdAtOf(job));
  }

  async function valuesOf(secretName: string, signal: AbortSignal): Promise<Record<string, string>> {
    const { data = {} } = await api.json<Secret>({ path: `${paths.secrets}/${secretName}`, signal });
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    );
  }

  /** Removes the controller with all that is its own, and waits until the last process of it has ended. */
  async function discard(controller: Controller, signal: AbortSignal): Promise<void> {
    const { kind, metadata } = controller;
    const { name, uid } = metadata;
    const body = { propagationPolicy: 'Foreground', preconditions: { uid } };
    await api.json({ method: 'DELETE', path: pathOf(kind, name), body, signal }).catch((error) => {
      if (!isGone(error)) throw error;
    });
    await untilGone(controller, signal);
  }

  async function untilGone({ metadata: { name, uid } }: Controller, signal: AbortSignal): Promise<void> {
    while (controllerOf(view, name)?.metadata.uid === uid) {
      await news.next(name, signal);
      signal.throwIfAborted();
    }
  }

  return {
    read: async (name, signal) => {
      const found = await readOurs(name, signal);
      return found === undefined ? undefined : seen(found);
    },
    async readLeaving(name, signal) {
      const found = await read(name, signal);
      return found !== undefined && workloadOf(found) === name ? found : undefined;
    },
    untilGone,
    apply: (spec, signal) => withRetries(() => applyOnce(spec, signal)),
    patch: (name, change, signal) => withRetries(() => patchOnce(name, change, signal)),
    async remove(name, volumes, signal) {
      const found = await read(name, signal);
      const ours = found !== undefined && workloadOf(found) === name ? found : undefined;
      await belongings.releaseClaims(name, ours, volumes, signal);
      if (ours !== undefined) await discard(ours, signal);
    },
  };
}

async function withRetries(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error;
    }
  }
}

/** Labels, annotations and replicas with a change laid over them. Throws `invalid_workload`. */
export function changed(controller: Controller, change: Change): Metadata {
  const { name, labels = {}, annotations = {} } = controller.metadata;
  const replicas = change.replicas ?? replicasOf(controller);
  if (replicas !== 0 && replicas !== 1) throw invalid('invalid_workload', 'replicas is 0 or 1.');
  const metadata: Metadata = {
    name,
    labels: merged(theirs(labels), change.labels),
    annotations: merged(theirs(annotations), change.annotations),
    replicas,
  };
  checkMetadata(metadata);
  return metadata;
}

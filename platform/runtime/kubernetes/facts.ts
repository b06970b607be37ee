import type { PodTemplate } from '../port.ts';
import { annotationKeys, labelKeys } from './names.ts';
import type { Claim, Controller, KubeEvent, Pod, Service } from './objects.ts';
import { isNewer } from './reflector.ts';
import { controllerOf, type View } from './view.ts';

/** All that is known of one workload, from which its status follows. */
export interface Facts {
  readonly controller: Controller;
  readonly template: Omit<PodTemplate, 'secret'>;
  readonly replicas: 0 | 1;
  /** The newest pod of the template as it is now; undefined before there is one. */
  readonly pod: Pod | undefined;
  /** Others that have not ended: of an earlier template, or on their way out. */
  readonly leaving: readonly Pod[];
  /** The last that was thrown off its node or lost with it. */
  readonly displaced: Pod | undefined;
  readonly service: Service | undefined;
  readonly claims: readonly Claim[];
  /** The latest first. */
  events(kind: 'Pod' | 'Job' | 'PersistentVolumeClaim', name: string): readonly KubeEvent[];
}

/** Undefined for what is no workload (yet): not ours, or still being made. */
export function factsOf(view: View, name: string): Facts | undefined {
  const controller = controllerOf(view, name);
  if (controller?.metadata.annotations?.[annotationKeys.complete] === undefined) return undefined;
  const template = templateOf(controller);
  if (template === undefined) return undefined;
  const pods = view.pods.group(name).toSorted((a, b) => byAge(b, a));
  const revision = controller.spec.template?.metadata?.labels?.[labelKeys.revision];
  const isCurrent = (pod: Pod) =>
    pod.metadata.labels?.[labelKeys.revision] === revision && pod.metadata.deletionTimestamp === undefined;
  // What a Deployment runs never ends by itself: a pod of its that has ended was made to. A job's may end well or badly.
  const displaced = pods.find((pod) =>
    isJob(controller)
      ? pod.status?.phase === 'Failed' && pod.status.reason !== undefined
      : hasEnded(pod) && !wasReplaced(pod),
  );
  const pod = pods.find((candidate) => isCurrent(candidate) && (isJob(controller) || !hasEnded(candidate)));
  return {
    controller,
    template,
    replicas: replicasOf(controller),
    pod,
    leaving: pods.filter((other) => other !== pod && !hasEnded(other)),
    displaced,
    service: view.services.group(name)[0],
    claims: view.claims.group(name),
    events: (kind, about) => view.events.group(`${kind}/${about}`).toSorted(latestFirst),
  };
}

export function templateOf(controller: Controller): Omit<PodTemplate, 'secret'> | undefined {
  try {
    return JSON.parse(controller.metadata.annotations?.[annotationKeys.template] ?? '') as Omit<
      PodTemplate,
      'secret'
    >;
  } catch {
    return undefined;
  }
}

export const replicasOf = (controller: Controller): 0 | 1 =>
  (controller.kind === 'Deployment' ? controller.spec.replicas === 0 : controller.spec.suspend === true)
    ? 0
    : 1;

/** Of the workload: a job's controller is made anew when it is to run again. */
export const createdAtOf = ({ metadata }: Controller): string =>
  metadata.annotations?.[annotationKeys.created] ?? metadata.creationTimestamp;

export const timeOf = ({ lastTimestamp, eventTime, metadata }: KubeEvent): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp;

/** Times are of whole seconds; within one, the version tells. */
const latestFirst = (a: KubeEvent, b: KubeEvent): number =>
  timeOf(b).localeCompare(timeOf(a)) || (isNewer(a, b) ? -1 : 1);

const isJob = ({ kind }: Controller): boolean => kind === 'Job';
/** Asked to go by its Deployment, for a new template or for none: it may be seen to have ended in the moment before it is removed. */
const wasReplaced = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined &&
  status?.conditions?.some(({ type, status }) => type === 'DisruptionTarget' && status === 'True') !== true;
const hasEnded = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
const byAge = (a: Pod, b: Pod): number =>
  a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp);

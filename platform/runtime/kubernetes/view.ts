import type { Logger } from '@haic/kit/logging.ts';
import type { KubeApi } from './api.ts';
import { lean, leanController, leanPod } from './lean.ts';
import { labelKeys, workloadOf } from './names.ts';
import type { Claim, Controller, Deployment, Job, KubeEvent, KubeObject, Pod, Service } from './objects.ts';
import { type Reflector, startReflector } from './reflector.ts';

/** Everything of the namespace that says something about workloads, as the API server has it. */
export interface View {
  readonly deployments: Reflector<Deployment>;
  readonly jobs: Reflector<Job>;
  readonly pods: Reflector<Pod>;
  readonly services: Reflector<Service>;
  readonly claims: Reflector<Claim>;
  /** In groups by the name of what they are about. */
  readonly events: Reflector<KubeEvent>;
  readonly synced: Promise<unknown>;
  /** Since when the server cannot be watched; undefined while it can. */
  awaySince(): Date | undefined;
}

export const collections = (namespace: string) => {
  const core = `/api/v1/namespaces/${namespace}`;
  return {
    deployments: `/apis/apps/v1/namespaces/${namespace}/deployments`,
    jobs: `/apis/batch/v1/namespaces/${namespace}/jobs`,
    pods: `${core}/pods`,
    services: `${core}/services`,
    claims: `${core}/persistentvolumeclaims`,
    secrets: `${core}/secrets`,
    events: `${core}/events`,
  } as const;
};

/** News of what works tell nobody anything. */
const dull = [
  'Scheduled',
  'Pulled',
  'Created',
  'Started',
  'SuccessfulCreate',
  'SuccessfulDelete',
  'ScalingReplicaSet',
];

export function createView(options: {
  readonly api: KubeApi;
  readonly namespace: string;
  /** Something about the workload may be different now. */
  readonly changed: (workload: string) => void;
  readonly resyncMs: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): View {
  const { api, changed, resyncMs, logger, signal } = options;
  const paths = collections(options.namespace);
  const common = { api, resyncMs, logger, signal };
  const ours = { labelSelector: labelKeys.workload };
  const tell = (object: KubeObject) => {
    const workload = workloadOf(object);
    if (workload !== undefined) changed(workload);
  };
  const reflect = <T extends KubeObject>(kind: string, path: string, keep: (object: T) => T): Reflector<T> =>
    startReflector<T>({ ...common, kind, path, query: ours, lean: keep, groupOf: workloadOf, changed: tell });

  const deployments = reflect<Deployment>('Deployment', paths.deployments, leanController);
  const jobs = reflect<Job>('Job', paths.jobs, leanController);
  const pods = reflect<Pod>('Pod', paths.pods, leanPod);
  const services = reflect<Service>('Service', paths.services, lean);
  const claims = reflect<Claim>('PersistentVolumeClaim', paths.claims, lean);
  const aboutWhat = ({ involvedObject: { kind, name } }: KubeEvent): KubeObject | undefined => {
    if (name === undefined) return undefined;
    if (kind === 'Pod') return pods.get(name);
    if (kind === 'Job') return jobs.get(name);
    return kind === 'PersistentVolumeClaim' ? claims.get(name) : undefined;
  };
  const events = startReflector<KubeEvent>({
    ...common,
    kind: 'Event',
    path: paths.events,
    query: { fieldSelector: dull.map((reason) => `reason!=${reason}`).join() },
    lean,
    groupOf: ({ involvedObject: { kind, name } }) => `${kind}/${name}`,
    changed: (event) => {
      const about = aboutWhat(event);
      if (about !== undefined) tell(about);
    },
  });
  const all = [deployments, jobs, pods, services, claims, events];
  return {
    ...{ deployments, jobs, pods, services, claims, events },
    synced: Promise.all(all.map((reflector) => reflector.synced)),
    awaySince: () =>
      all
        .flatMap((reflector) => reflector.awaySince() ?? [])
        .toSorted((a, b) => a.getTime() - b.getTime())
        .at(0),
  };
}

/** A job's name and a deployment's are in one space: a workload is one of them. */
export const controllerOf = (view: View, workload: string): Controller | undefined => {
  const found = view.deployments.get(workload) ?? view.jobs.get(workload);
  return found !== undefined && workloadOf(found) === workload ? found : undefined;
};

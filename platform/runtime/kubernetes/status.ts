import type { Termination, WorkloadPhase, WorkloadStatus } from '../port.ts';
import { endpointsOf } from './endpoints.ts';
import { displacement, lastEndOf } from './ends.ts';
import type { Facts } from './facts.ts';
import { containerName } from './names.ts';
import type { Condition, ContainerStatus, Pod } from './objects.ts';
import { readProbeTrouble } from './probe-trouble.ts';
import { whyNoPod, whyNotRunning } from './waiting.ts';

type Said = { readonly reason: string; readonly message: string };
type Stage = Said & {
  readonly phase: WorkloadPhase;
  /** When it began, where the cluster says so. */
  readonly since?: string | undefined;
};

const nothing: Said = { reason: '', message: '' };

/** What the cluster's objects mean to the person who waits. Nothing else than they decides: it is the same after every restart of Haic. */
export function statusOf(
  facts: Facts,
): Omit<WorkloadStatus, 'since'> & { readonly since: string | undefined } {
  const { phase, reason, message, since } = stageOf(facts);
  const container = containerOf(facts.pod);
  const running = phase === 'Terminating' ? undefined : container?.state?.running;
  return {
    phase,
    reason,
    message,
    since,
    startedAt: running?.startedAt,
    restartCount: container?.restartCount ?? 0,
    lastTermination: lastTerminationOf(facts, container),
    endpoints: running === undefined ? {} : endpointsOf(facts),
    usage: {},
  };
}

function stageOf(facts: Facts): Stage {
  const { controller, pod, leaving, replicas } = facts;
  const { deletionTimestamp } = controller.metadata;
  if (deletionTimestamp !== undefined)
    return { phase: 'Terminating', reason: '', message: 'It is being removed.', since: deletionTimestamp };
  if (replicas === 0) {
    const stopping = leaving[0] ?? (pod !== undefined && !hasEnded(pod) ? pod : undefined);
    if (stopping === undefined) return { phase: 'Suspended', ...nothing };
    return { phase: 'Terminating', reason: '', message: 'It is being stopped.', since: leftAt(stopping) };
  }
  if (pod === undefined) {
    const [earlier] = leaving;
    if (earlier !== undefined)
      return {
        phase: 'Terminating',
        reason: '',
        message: 'It is being stopped, to start again changed.',
        since: leftAt(earlier),
      };
    return { phase: 'Pending', ...whyNoPod(facts) };
  }
  return stageOfPod(facts, pod);
}

function stageOfPod(facts: Facts, pod: Pod): Stage {
  const container = containerOf(pod);
  const { restartPolicy } = facts.template;
  const end = container?.state?.terminated;
  if (pod.status?.phase === 'Succeeded')
    return { phase: 'Succeeded', ...ended(facts, pod), since: end?.finishedAt };
  if (pod.status?.phase === 'Failed')
    return { phase: 'Failed', ...ended(facts, pod), since: end?.finishedAt };
  if (container?.state?.running !== undefined) return stageOfRunning(facts, pod, container);
  const endsForGood = restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && end?.exitCode === 0);
  if (end !== undefined && endsForGood)
    return {
      phase: end.exitCode === 0 ? 'Succeeded' : 'Failed',
      ...ended(facts, pod),
      since: end.finishedAt,
    };
  const waiting = container?.state?.waiting;
  // What could not even be started is tried again just like what has ended.
  if (end !== undefined || waiting?.reason === 'CrashLoopBackOff' || waiting?.reason === 'RunContainerError')
    return backOff(facts, pod, container, waiting?.message);
  return { phase: 'Pending', ...whyNotRunning(facts, pod, waiting), since: pod.metadata.creationTimestamp };
}

function stageOfRunning(facts: Facts, pod: Pod, container: ContainerStatus): Stage {
  const { startedAt } = container.state?.running ?? {};
  const ready = conditionOf(pod, 'Ready');
  // The kubelet says one thing and the cluster another: the cluster has not heard from the kubelet for long.
  if (container.ready && ready !== undefined && ready.status !== 'True') {
    const message = `Its node ${pod.spec.nodeName ?? ''} does not answer any more. When it stays away, it is started on another one.`;
    return { phase: 'Running', reason: 'NodeLost', message, since: ready.lastTransitionTime };
  }
  if (facts.template.startupProbe !== undefined && container.started !== true)
    return { phase: 'Starting', ...nothing, since: startedAt };
  if (container.ready) return { phase: 'Ready', ...nothing, since: ready?.lastTransitionTime ?? startedAt };
  const trouble = readProbeTrouble(facts.events('Pod', pod.metadata.name), 'Readiness', startedAt);
  return trouble === undefined
    ? { phase: 'Running', ...nothing, since: startedAt }
    : { phase: 'Running', reason: 'ProbeFailing', message: trouble, since: startedAt };
}

function backOff(
  facts: Facts,
  pod: Pod,
  container: ContainerStatus | undefined,
  waiting: string | undefined,
): Stage {
  const last = lastTerminationOf(facts, container);
  const reason = last?.reason === 'OOMKilled' ? 'OOMKilled' : 'CrashLoopBackOff';
  const pause = /back-off (\S+) restarting/.exec(waiting ?? '')?.[1];
  const next = pause === undefined ? 'It is started again.' : `It is started again after ${pause}.`;
  const message = `${last?.message ?? 'It could not be started.'} ${next}`;
  return { phase: 'BackOff', reason, message, since: last?.finishedAt ?? pod.metadata.creationTimestamp };
}

function ended(facts: Facts, pod: Pod): Said {
  const last = lastTerminationOf(facts, containerOf(pod));
  return { reason: last?.reason ?? '', message: last?.message ?? '' };
}

function lastTerminationOf(facts: Facts, container: ContainerStatus | undefined): Termination | undefined {
  const { pod, displaced } = facts;
  if (pod !== undefined && pod !== displaced) {
    const end = lastEndOf(facts, pod, container);
    if (end !== undefined) return end;
  }
  return displaced === undefined
    ? undefined
    : displacement(displaced, facts.events('Pod', displaced.metadata.name));
}

export const containerOf = (pod: Pod | undefined): ContainerStatus | undefined =>
  pod?.status?.containerStatuses?.find(({ name }) => name === containerName);

export const conditionOf = (pod: Pod, type: string): Condition | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === type);

const hasEnded = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
const leftAt = (pod: Pod): string | undefined => pod.metadata.deletionTimestamp;

import type { Termination } from '../port.ts';
import { terminationOf } from '../termination.ts';
import { type Facts, timeOf } from './facts.ts';
import type { ContainerEnd, ContainerStatus, KubeEvent, Pod } from './objects.ts';
import { type ProbeKind, readProbeTrouble } from './probe-trouble.ts';

/** How the container's last process ended, of those that have ended. */
export function lastEndOf(
  facts: Facts,
  pod: Pod,
  container: ContainerStatus | undefined,
): Termination | undefined {
  const end = container?.state?.terminated ?? container?.lastState?.terminated;
  if (end !== undefined) return explain(end, facts, facts.events('Pod', pod.metadata.name));
  const waiting = container?.state?.waiting;
  if (waiting?.reason !== 'RunContainerError') return undefined;
  return explain({ exitCode: 128, reason: 'StartError', ...waiting }, facts, []);
}

function explain(end: ContainerEnd, facts: Facts, events: readonly KubeEvent[]): Termination {
  const finishedAt = end.finishedAt ?? new Date().toISOString();
  const cannotRun =
    end.reason === 'StartError' || end.reason === 'ContainerCannotRun' || end.reason === 'RunContainerError';
  return terminationOf(
    {
      code: end.reason === 'ContainerStatusUnknown' ? undefined : codeOf(end),
      startError: cannotRun ? `It could not be started: ${plainStartError(end.message ?? '')}` : undefined,
      outOfMemory: end.reason === 'OOMKilled',
      probeFailure: probeFailureOf(end, events),
    },
    facts.template.resources.memoryLimit,
    new Date(finishedAt),
  );
}

/** As a shell tells it, also where the runtime tells the signal apart. */
const codeOf = ({ exitCode, signal = 0 }: ContainerEnd): number =>
  exitCode === 0 && signal > 0 ? 128 + signal : exitCode;

/** The kubelet writes down that it ends a process for a probe, as an event; the process itself may end as if it were well. */
function probeFailureOf(end: ContainerEnd, events: readonly KubeEvent[]): string | undefined {
  for (const event of events) {
    const kind = /failed (liveness|startup) probe/.exec(
      event.reason === 'Killing' ? (event.message ?? '') : '',
    )?.[1];
    if (kind === undefined || !isWithin(timeOf(event), end)) continue;
    const name: ProbeKind = kind === 'startup' ? 'Startup' : 'Liveness';
    return `${readProbeTrouble(events, name, end.startedAt) ?? `The ${kind} probe failed.`} It was ended for that.`;
  }
  return undefined;
}

/** Both clocks are the node's, and tell whole seconds. */
const isWithin = (time: string, { startedAt, finishedAt }: ContainerEnd): boolean =>
  (startedAt === undefined || time >= startedAt) && (finishedAt === undefined || time <= finishedAt);

/** Of a chain of wrapped errors the end is what happened. */
const plainStartError = (message: string): string => {
  const wanted = /exec: "(.+?)": (.+?)(: unknown)?$/.exec(message);
  return wanted === null ? message : `${wanted[1]}: ${wanted[2]?.replace(/^stat \S+: /, '')}.`;
};

/** A pod that was thrown off its node, or went down with it. One that ended well when it was asked to says so in its events only. */
export function displacement(pod: Pod, events: readonly KubeEvent[]): Termination {
  const eviction = events.find(({ reason }) => reason === 'Evicted')?.message;
  const { reason = '', message = eviction ?? '' } = pod.status ?? {};
  const node = pod.spec.nodeName ?? 'its node';
  const evicted = reason === 'Evicted' || eviction !== undefined;
  return {
    exitCode: undefined,
    signal: undefined,
    reason: evicted ? 'Evicted' : 'Lost',
    message: evicted
      ? `It was taken off ${node}: ${message.replace(/\s*Threshold quantity.*$/s, '').trim() || 'the node ran short of something.'}`
      : `It was lost with ${node}${reason === '' ? '' : ` (${reason})`}. ${message}`.trim(),
    finishedAt: finishedAtOf(pod),
  };
}

function finishedAtOf(pod: Pod): string {
  const ends =
    pod.status?.containerStatuses?.flatMap(({ state }) => state?.terminated?.finishedAt ?? []) ?? [];
  const disruption = pod.status?.conditions?.find(
    ({ type }) => type === 'DisruptionTarget',
  )?.lastTransitionTime;
  return new Date(ends.toSorted().at(-1) ?? disruption ?? pod.metadata.creationTimestamp).toISOString();
}

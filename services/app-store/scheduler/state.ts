import type { Termination, WorkloadPhase, WorkloadStatus } from '@haic/platform/runtime/port.ts';
import type { InstanceStatus } from './instance-route.ts';
import type { LauncherReport } from './launcher-report.ts';
import type { InstanceFailure, InstanceState, PausedBy, SuspendAfter } from './model.ts';

/**
 * The states of an instance and what may follow:
 *
 *   PENDING → STARTING → DEPLOYED → STARTING (readiness lost) | FAILED
 *   FAILED → STARTING (the runtime tries again)          any → SUSPENDED → PENDING          any → TERMINATING → gone
 *
 * The runtime decides each transition (design decision 2); this table only says what its phases mean to people.
 */
const statusOfPhase: Readonly<Record<WorkloadPhase, InstanceStatus>> = {
  Pending: 'PENDING',
  Starting: 'STARTING',
  Running: 'STARTING',
  Ready: 'DEPLOYED',
  BackOff: 'FAILED',
  Failed: 'FAILED',
  Succeeded: 'FAILED',
  Suspended: 'SUSPENDED',
  Terminating: 'TERMINATING',
};

/** Reason of an instance that is to be paused and whose process has not ended yet. */
export const stillPausing = 'Pausing';

export interface StateFacts {
  readonly workload: WorkloadStatus;
  readonly memoryLimit: number | undefined;
  /** The launcher's word about the current process, or about the one that ended when none runs. */
  readonly report: LauncherReport | undefined;
  /** This very process was ready before. */
  readonly wasReady: boolean;
  /** Set when nothing shall run. */
  readonly pause?: Pause | undefined;
}

export interface Pause {
  /** Undefined when somebody did it past the platform. */
  readonly by: PausedBy | undefined;
  readonly suspendAfter: SuspendAfter;
}

export function stateOf(facts: StateFacts): InstanceState {
  const { workload, report } = facts;
  // Paused from the moment it is asked for: whatever still runs is on its way out and is nobody's to use.
  if (facts.pause !== undefined) return { ...explainPause(facts.pause, workload), since: workload.since };
  const phaseStatus = statusOfPhase[workload.phase];
  // The launcher lingers for a moment, to show what went wrong, before it ends with it.
  if (phaseStatus === 'STARTING' && report?.phase === 'failed') {
    const message = report.failure?.message || report.message;
    // Its probes fail by now too, but that is no reason of its own.
    return { status: 'FAILED', reason: 'Failed', message, since: workload.since };
  }
  const { reason, message } = explain(facts, phaseStatus);
  return { status: phaseStatus, reason, message, since: workload.since };
}

/** Why the last process ended: in the launcher's words where it had any, since it saw more than an exit code. */
function causeOf({ workload, report, memoryLimit }: StateFacts, end: Termination): string {
  const ended = workload.phase === 'BackOff' || workload.phase === 'Failed';
  const told = (ended ? report?.failure : report?.previousFailure)?.message ?? '';
  return told !== '' && (end.reason === 'Error' || end.reason === 'Completed')
    ? told
    : describeEnd(end, memoryLimit);
}

function explain(facts: StateFacts, status: InstanceStatus): { reason: string; message: string } {
  const { workload } = facts;
  const own = { reason: workload.reason, message: workload.message };
  switch (status) {
    case 'PENDING':
      return own.message === '' ? { ...own, message: 'Waiting to be started.' } : own;
    case 'STARTING':
      return explainStart(facts);
    case 'FAILED':
      return explainFailure(facts);
    case 'TERMINATING':
      return { reason: own.reason, message: own.message || 'Being stopped and removed.' };
    case 'SUSPENDED':
      return { reason: own.reason, message: own.message || 'Paused. Nothing runs; the data volume is kept.' };
    case 'DEPLOYED':
      return { reason: '', message: '' };
  }
}

function explainPause(pause: Pause, workload: WorkloadStatus): Omit<InstanceState, 'since'> {
  const status = 'SUSPENDED';
  if (workload.phase !== 'Suspended')
    return {
      status,
      reason: stillPausing,
      message: 'It is being paused. Files in its data volume are kept.',
    };
  const kept = 'Nothing runs; files in its data volume are kept.';
  switch (pause.by) {
    case 'owner':
      return { status, reason: 'PausedByOwner', message: `Paused by its owner. ${kept}` };
    case 'administrator':
      return { status, reason: 'PausedByAdministrator', message: `Paused by an administrator. ${kept}` };
    case 'owner-ended': {
      const message = `Paused when the account of its owner was disabled or removed. ${kept}`;
      return { status, reason: 'OwnerEnded', message };
    }
    case 'time-limit': {
      const after = pause.suspendAfter === 'never' ? '' : ` after ${inWords(pause.suspendAfter)}`;
      return { status, reason: 'TimeLimit', message: `Paused by itself${after}. ${kept}` };
    }
    case undefined:
      return { status, reason: workload.reason, message: workload.message || `Paused. ${kept}` };
  }
}

/** 8 hours · 90 minutes · 1 hour. */
function inWords(seconds: number): string {
  const [count, unit] =
    seconds % 3600 === 0
      ? [seconds / 3600, 'hour']
      : seconds >= 120
        ? [Math.round(seconds / 60), 'minute']
        : [seconds, 'second'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function explainStart(facts: StateFacts) {
  const { workload, report } = facts;
  if (facts.wasReady) {
    const why = report?.failure?.message ?? workload.message;
    return {
      reason: workload.reason || 'NotReady',
      message: `The app was ready and stopped answering. ${why}`.trim(),
    };
  }
  const progress = report?.message || workload.message || 'The instance is starting.';
  const last = workload.lastTermination;
  if (workload.restartCount === 0 || last === undefined)
    return { reason: workload.reason, message: progress };
  return {
    reason: workload.reason || 'Restarting',
    message: `${progress} This is start ${workload.restartCount + 1}, because of this: ${causeOf(facts, last)}`,
  };
}

function explainFailure(facts: StateFacts) {
  const { workload } = facts;
  const last = workload.lastTermination;
  // The runtime begins with how the process ended, if that is what it speaks of; a port that is taken, say, is another matter.
  const speaksOfEnd = last !== undefined && workload.message.startsWith(last.message);
  const cause = speaksOfEnd || workload.message === '' ? undefined : workload.message;
  const rest = speaksOfEnd ? workload.message.slice(last.message.length).trim() : '';
  const ended = last === undefined ? 'The app ended.' : causeOf(facts, last);
  if (workload.phase !== 'BackOff') {
    return {
      reason: workload.reason || last?.reason || 'Failed',
      message: `${cause ?? ended} It is not started again.`,
    };
  }
  return {
    // OOMKilled says more than CrashLoopBackOff.
    reason:
      cause === undefined && last?.reason === 'OOMKilled'
        ? 'OOMKilled'
        : workload.reason || 'CrashLoopBackOff',
    message: cause ?? `${ended} ${rest || 'It is started again after a pause that grows with each failure.'}`,
  };
}

/** One sentence on how a process ended and, where there is one, the remedy. */
export function describeEnd(end: Termination, memoryLimit: number | undefined): string {
  switch (end.reason) {
    case 'OOMKilled':
      return `The app used more memory than its limit${memoryLimit === undefined ? '' : ` of ${inBytes(memoryLimit)}`} and was ended. Give it more with MemoryLimit in app.toml.`;
    case 'StartError':
      return sentence(`The instance could not be started at all: ${end.message || 'no reason was given'}`);
    case 'ProbeFailed':
      return sentence(
        `The app no longer answered and was ended${end.message === '' ? '' : `: ${end.message}`}`,
      );
    case 'Evicted':
      return sentence(end.message || 'The machine ran short of something and the instance had to give way');
    case 'Lost':
      return sentence(end.message || 'The process was lost, for instance by a restart of the machine');
    case 'Completed':
      return 'The app ended by itself, though it should go on.';
    case 'Error':
      return `The app ended ${howItEnded(end)}.`;
  }
}

const howItEnded = (end: Termination): string => {
  if (end.signal !== undefined) return `by signal ${end.signal}`;
  return end.exitCode === undefined ? 'with an error' : `with exit code ${end.exitCode}`;
};

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const inBytes = (bytes: number): string => {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
};

export function failureOf(facts: StateFacts): InstanceFailure | undefined {
  const last = facts.workload.lastTermination;
  if (last === undefined) return undefined;
  return {
    exitCode: last.exitCode,
    reason: last.reason,
    message: causeOf(facts, last),
    finishedAt: last.finishedAt,
  };
}

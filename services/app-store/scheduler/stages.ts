import type { WorkloadStatus } from '@haic/platform/runtime/port.ts';
import type { LauncherReport } from './launcher-report.ts';
import { type Stage, type StageName, stageNames } from './model.ts';

export interface StageFacts {
  /** When it was asked for: created, or woken up. */
  readonly createdAt: string;
  /** When the platform began to look after it: what was asked for before an `up` has waited only since then. */
  readonly lookedAfterSince: string;
  readonly workload: WorkloadStatus;
  readonly report: LauncherReport | undefined;
  /** Usual seconds of a stage, where known. */
  readonly usual: (stage: StageName) => number | undefined;
}

/** The steps of the current start; of the last one while nothing runs. */
export function stagesOf(facts: StageFacts): Stage[] {
  const running = stageNames.map((name) => withUsual(stageOf(name, facts), facts));
  return facts.workload.phase === 'BackOff' || facts.workload.phase === 'Failed'
    ? markFailed(running, facts.workload)
    : running;
}

function stageOf(name: StageName, facts: StageFacts): Stage {
  const { workload, report } = facts;
  if (name === 'queued') return queued(facts);
  if (name === 'ready') {
    return workload.phase === 'Ready'
      ? { name, state: 'done', startedAt: workload.since, finishedAt: workload.since }
      : { name, state: 'waiting' };
  }
  const told = report?.stages.find((stage) => stage.name === name);
  const times = {
    ...(told?.startedAt === undefined ? {} : { startedAt: told.startedAt }),
    ...(told?.finishedAt === undefined ? {} : { finishedAt: told.finishedAt }),
  };
  // The runtime's word goes before the launcher's: a ready instance has no step left to do.
  if (workload.phase === 'Ready') return { name, state: 'done', ...times };
  if (told !== undefined) return { name, state: told.state, ...times };
  const first = name === 'fetching' && (workload.phase === 'Starting' || workload.phase === 'Running');
  return first
    ? {
        name,
        state: 'running',
        ...(workload.startedAt === undefined ? {} : { startedAt: workload.startedAt }),
      }
    : { name, state: 'waiting' };
}

function queued(facts: StageFacts): Stage {
  const { workload } = facts;
  const startedAt = queuedAt(facts);
  const since = startedAt === undefined ? {} : { startedAt };
  if (workload.phase === 'Pending') return { name: 'queued', state: 'running', ...since };
  if (workload.phase === 'Suspended') return { name: 'queued', state: 'waiting' };
  return {
    name: 'queued',
    state: 'done',
    ...since,
    ...(workload.startedAt === undefined ? {} : { finishedAt: workload.startedAt }),
  };
}

/** When the wait before the present start began. */
function queuedAt({ createdAt, lookedAfterSince, workload }: StageFacts): string | undefined {
  const asked = workload.restartCount > 0 ? workload.lastTermination?.finishedAt : createdAt;
  if (asked === undefined) return undefined;
  // A process that is older than the platform's own was started by an earlier one, at a time of its own.
  const { phase, startedAt } = workload;
  const byThisOne = phase === 'Pending' || startedAt === undefined || startedAt >= lookedAfterSince;
  return byThisOne && asked < lookedAfterSince ? lookedAfterSince : asked;
}

/** What was under way when the process ended is what failed. */
function markFailed(stages: readonly Stage[], workload: WorkloadStatus): Stage[] {
  const failed =
    stages.find((stage) => stage.state === 'failed' || stage.state === 'running') ??
    stages.find((stage) => stage.name === 'starting');
  const finishedAt = workload.lastTermination?.finishedAt;
  return stages.map((stage) =>
    stage === failed
      ? { ...stage, state: 'failed', ...(finishedAt === undefined ? {} : { finishedAt }) }
      : stage,
  );
}

function withUsual(stage: Stage, facts: StageFacts): Stage {
  const usualSeconds = facts.usual(stage.name);
  return usualSeconds === undefined ? stage : { ...stage, usualSeconds };
}

const remembered = 9;

/** How long each stage took in the last starts; kept in memory and learned again from whatever runs. */
export interface StartHistory {
  /** Remembers the finished stages of a start that became ready. */
  record(appId: string, stages: readonly Stage[]): void;
  /** The median of this app's last starts, else of all apps'. */
  usual(appId: string, stage: StageName): number | undefined;
}

export function createStartHistory(): StartHistory {
  const seconds = new Map<string, number[]>();
  const add = (key: string, value: number) =>
    seconds.set(key, [...(seconds.get(key) ?? []), value].slice(-remembered));
  return {
    record(appId, stages) {
      for (const { name, startedAt, finishedAt } of stages) {
        if (startedAt === undefined || finishedAt === undefined || name === 'ready') continue;
        const value = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
        if (!(value >= 0)) continue;
        add(`${appId} ${name}`, value);
        add(` ${name}`, value);
      }
    },
    usual: (appId, stage) => median(seconds.get(`${appId} ${stage}`) ?? seconds.get(` ${stage}`) ?? []),
  };
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return middle === undefined ? undefined : Math.round(middle * 10) / 10;
}

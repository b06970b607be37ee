import type { WorkloadPhase } from '../port.ts';

/** What may follow what. The supervisor decides, by one loop for each workload; this table keeps it honest. */
const transitions: Readonly<Record<WorkloadPhase, readonly WorkloadPhase[]>> = {
  Pending: ['Starting', 'Running', 'Ready', 'BackOff', 'Suspended', 'Terminating', 'Failed'],
  Starting: ['Running', 'Ready', 'BackOff', 'Terminating', 'Succeeded', 'Failed', 'Pending', 'Suspended'],
  Running: ['Ready', 'BackOff', 'Terminating', 'Succeeded', 'Failed', 'Pending', 'Suspended'],
  Ready: ['Running', 'BackOff', 'Terminating', 'Succeeded', 'Failed', 'Pending', 'Suspended'],
  BackOff: ['Pending', 'Starting', 'Running', 'Ready', 'Suspended', 'Terminating', 'Failed'],
  Terminating: ['Pending', 'BackOff', 'Suspended', 'Succeeded', 'Failed'],
  Succeeded: ['Pending', 'Suspended', 'Terminating'],
  Failed: ['Pending', 'Suspended', 'Terminating'],
  Suspended: ['Pending', 'Terminating'],
};

export const mayFollow = (from: WorkloadPhase, to: WorkloadPhase): boolean =>
  from === to || transitions[from].includes(to);

/** Phases in which a process lives. */
export const isLive = (phase: WorkloadPhase): boolean =>
  phase === 'Starting' || phase === 'Running' || phase === 'Ready';

/** How long to wait before the start that follows so many ends in a row: 1, 2, 4 … 60 s. */
export const backOffDelay = (failures: number, timing: { backOffFirst: number; backOffLongest: number }) =>
  Math.min(timing.backOffLongest, timing.backOffFirst * 2 ** Math.min(20, Math.max(0, failures - 1)));

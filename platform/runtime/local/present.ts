import type { Workload } from '../port.ts';
import { loopback } from './ports.ts';
import type { PodRecord, WorkloadRecord } from './records.ts';

/**
 * A workload as the port shows it, made anew only after something changed: who lists a thousand gets a thousand references. Frozen, since
 * all who ask get the same.
 */
export function createPresenter(): (record: WorkloadRecord, pod: PodRecord, runs: boolean) => Workload {
  let last: { record: WorkloadRecord; pod: PodRecord; runs: boolean; workload: Workload } | undefined;
  return (record, pod, runs) => {
    if (last?.record !== record || last.pod !== pod || last.runs !== runs)
      last = { record, pod, runs, workload: frozen(present(record, pod, runs)) };
    return last.workload;
  };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) frozen(part);
    Object.freeze(value);
  }
  return value;
}

/** A copy, without the secret, which is not in the record either. */
function present(record: WorkloadRecord, pod: PodRecord, runs: boolean): Workload {
  const { name, labels, annotations, replicas, template } = record.spec;
  const endpoints = Object.entries(runs ? pod.ports : {}).map(([port, number]) => [
    port,
    { host: loopback, port: number },
  ]);
  return structuredClone({
    name,
    labels,
    annotations,
    replicas,
    template,
    createdAt: record.createdAt,
    status: {
      phase: pod.phase,
      reason: pod.reason,
      message: pod.message,
      since: pod.since,
      startedAt: runs ? pod.startedAt : undefined,
      restartCount: Math.max(0, pod.starts - 1),
      lastTermination: pod.lastTermination,
      endpoints: Object.fromEntries(endpoints),
      usage: {},
    },
  });
}

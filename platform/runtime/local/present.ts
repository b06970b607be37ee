import type { Workload } from '../port.ts';
import { loopback } from './ports.ts';
import type { PodRecord, WorkloadRecord } from './records.ts';

/** A workload as the port shows it: a copy, without the secret, which is not in the record either. */
export function present(record: WorkloadRecord, pod: PodRecord, runs: boolean): Workload {
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

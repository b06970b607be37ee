import type { Workload, WorkloadPhase } from '../port.ts';
import { createdAtOf, type Facts, factsOf } from './facts.ts';
import { isOurs } from './names.ts';
import type { Reach } from './reach.ts';
import { statusOf } from './status.ts';
import type { View } from './view.ts';

export interface Presenter {
  get(name: string): Workload | undefined;
  /** What was made of the cluster's objects holds no more. */
  changed(name: string): void;
}

/** Workloads as the port shows them, each made anew only after something about it changed. */
export function createPresenter(view: View, reach: Reach): Presenter {
  const made = new Map<string, Workload | undefined>();
  /** When a phase was entered that the cluster has no time for. */
  const entered = new Map<string, { phase: WorkloadPhase; at: string }>();
  return {
    changed: (name) => void made.delete(name),
    get(name) {
      if (made.has(name)) return made.get(name);
      const facts = factsOf(view, name);
      if (facts === undefined) {
        entered.delete(name);
        reach.forget(name);
      }
      const workload =
        facts === undefined ? undefined : present(name, facts, reach, (phase) => seenSince(name, phase));
      if (workload !== undefined) made.set(name, workload);
      return workload;
    },
  };

  function seenSince(name: string, phase: WorkloadPhase): string {
    const before = entered.get(name);
    if (before?.phase === phase) return before.at;
    const at = new Date().toISOString();
    entered.set(name, { phase, at });
    return at;
  }
}

function present(
  name: string,
  facts: Facts,
  reach: Reach,
  seenSince: (phase: WorkloadPhase) => string,
): Workload {
  const { labels = {}, annotations = {} } = facts.controller.metadata;
  const { since, ...status } = whenReached(name, facts, reach, statusOf(facts));
  const seen = seenSince(status.phase);
  return {
    name,
    labels: theirs(labels),
    annotations: theirs(annotations),
    replicas: facts.replicas,
    template: facts.template,
    createdAt: createdAtOf(facts.controller),
    status: { ...status, since: since ?? seen },
  };
}

/** Without what we, Kubernetes, Helm and their tools have written there for themselves. */
export const theirs = (values: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).filter(([key]) => !isOurs(key) && !tools.test(key)));

const tools =
  /^((deployment|kubectl|batch)\.kubernetes\.io\/|meta\.helm\.sh\/|app\.kubernetes\.io\/managed-by$)/;

/** Ready is what can be asked something: the port that its readiness probe asks, at the address that others ask. */
function whenReached<
  T extends Pick<Workload['status'], 'phase' | 'message' | 'endpoints'> & { since: string | undefined },
>(name: string, { pod, template }: Facts, reach: Reach, status: T): T {
  const endpoint = status.endpoints[template.readinessProbe?.check.port ?? ''];
  if (status.phase !== 'Ready' || pod === undefined || endpoint === undefined) return status;
  if (reach.has(pod.metadata.uid, name, endpoint, status.since)) return status;
  return { ...status, phase: 'Running', message: 'The cluster is learning its address.' };
}

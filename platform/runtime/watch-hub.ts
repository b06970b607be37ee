import type { LabelSelector, Workload, WorkloadEvent } from './port.ts';

export function matches(labels: Readonly<Record<string, string>>, selector: LabelSelector): boolean {
  // Asked of each of thousands: without making a list of the selector's entries each time.
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** Tells watchers which workloads changed. A slow one keeps names, not events: it costs no more memory than there are workloads. */
export interface WatchHub {
  changed(name: string): void;
  watch(selector: LabelSelector, signal: AbortSignal): AsyncGenerator<WorkloadEvent>;
}

export function createWatchHub(state: {
  all(): readonly Workload[];
  get(name: string): Workload | undefined;
}): WatchHub {
  const listeners = new Set<(name: string) => void>();

  async function* watch(selector: LabelSelector, signal: AbortSignal): AsyncGenerator<WorkloadEvent> {
    if (signal.aborted) return;
    const names = new Set<string>();
    let wake = () => {};
    const onChange = (name: string) => {
      names.add(name);
      wake();
    };
    const onAbort = () => wake();
    listeners.add(onChange);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const first = state.all().filter((workload) => matches(workload.labels, selector));
      const shown = new Set(first.map((workload) => workload.name));
      yield { type: 'SYNC', workloads: first };
      while (!signal.aborted) {
        if (names.size === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        const [name = ''] = names;
        names.delete(name);
        const workload = state.get(name);
        if (workload !== undefined && matches(workload.labels, selector)) {
          shown.add(name);
          yield { type: 'SET', workload };
        } else if (shown.delete(name)) yield { type: 'REMOVED', name };
      }
    } finally {
      listeners.delete(onChange);
      signal.removeEventListener('abort', onAbort);
    }
  }

  return {
    changed: (name) => {
      for (const listener of listeners) listener(name);
    },
    watch,
  };
}

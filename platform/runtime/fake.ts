import { invalid, notFound } from '@haic/kit/errors.ts';
import { merged } from './merge.ts';
import type {
  LabelSelector,
  LogOptions,
  Runtime,
  Workload,
  WorkloadEvent,
  WorkloadSpec,
  WorkloadStatus,
} from './port.ts';

/**
 * A runtime that keeps workloads in memory and starts no process: what happens to them is said by the test (`become`, `print`). For
 * tests of those who use the port and need states that are hard to bring about; what runs is tested on a real runtime. It is no
 * adapter: the contract suite watches real processes, and here there are none.
 */
export interface FakeRuntime extends Runtime {
  /** Changes the status of a workload, as its process or the machine would. */
  become(name: string, status: Partial<WorkloadStatus>): void;
  /** A line of the current process. */
  print(name: string, ...lines: readonly string[]): void;
  /** The process ends and another begins: its lines become the previous log. */
  restart(name: string): void;
  /** The specification as it was applied, with its secret. */
  specOf(name: string): WorkloadSpec | undefined;
  /** The next call of the operation fails with this error. */
  failNext(operation: 'apply' | 'patch' | 'remove', error: Error): void;
}

interface Entry {
  spec: WorkloadSpec;
  readonly createdAt: string;
  status: WorkloadStatus;
  lines: string[];
  previous: string[];
  /** Grows with each restart, so that a follower knows that it has to begin at the first line again. */
  generation: number;
}

const pending: Omit<WorkloadStatus, 'since'> = {
  phase: 'Pending',
  reason: '',
  message: '',
  startedAt: undefined,
  restartCount: 0,
  lastTermination: undefined,
  endpoints: {},
  usage: {},
};

export function createFakeRuntime(): FakeRuntime {
  const entries = new Map<string, Entry>();
  const failures = new Map<string, Error>();
  const listeners = new Set<(name: string) => void>();
  const changed = (name: string) => {
    for (const listener of listeners) listener(name);
  };
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name);
    if (entry === undefined) throw notFound(`The workload ${name}`);
    return entry;
  };
  const failIfAsked = (operation: string) => {
    const error = failures.get(operation);
    failures.delete(operation);
    if (error !== undefined) throw error;
  };
  const matching = (selector: LabelSelector) =>
    [...entries.values()].filter((entry) => matches(entry, selector)).map(workloadOf);

  /** Resolves with the names that changed since the last call, or undefined when the signal aborted. */
  function changes(signal: AbortSignal) {
    const names = new Set<string>();
    let wake = () => {};
    const listener = (name: string) => {
      names.add(name);
      wake();
    };
    listeners.add(listener);
    signal.addEventListener('abort', () => wake(), { once: true });
    return {
      async next(): Promise<readonly string[] | undefined> {
        while (names.size === 0 && !signal.aborted)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        const all = [...names];
        names.clear();
        return signal.aborted ? undefined : all;
      },
      end: () => listeners.delete(listener),
    };
  }

  return {
    async apply(spec) {
      failIfAsked('apply');
      if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(spec.name))
        throw invalid('invalid_workload', `"${spec.name}" is not a name of a workload.`);
      const now = new Date().toISOString();
      const before = entries.get(spec.name);
      const same =
        before !== undefined && JSON.stringify(before.spec.template) === JSON.stringify(spec.template);
      const stays = spec.replicas === 0 && before?.status.phase === 'Suspended';
      entries.set(spec.name, {
        spec,
        createdAt: before?.createdAt ?? now,
        status: same || stays ? before.status : { ...pending, since: now },
        lines: before?.lines ?? [],
        previous: before?.previous ?? [],
        generation: before?.generation ?? 0,
      });
      changed(spec.name);
      return workloadOf(entryOf(spec.name));
    },
    async patch(name, change) {
      failIfAsked('patch');
      const entry = entryOf(name);
      entry.spec = {
        ...entry.spec,
        labels: merged(entry.spec.labels, change.labels),
        annotations: merged(entry.spec.annotations, change.annotations),
        replicas: change.replicas ?? entry.spec.replicas,
      };
      changed(name);
      return workloadOf(entry);
    },
    async remove(name) {
      failIfAsked('remove');
      if (entries.delete(name)) changed(name);
    },
    async get(name) {
      const entry = entries.get(name);
      return entry === undefined ? undefined : workloadOf(entry);
    },
    async list(selector) {
      return matching(selector);
    },
    async *watch(selector, { signal }): AsyncGenerator<WorkloadEvent> {
      const news = changes(signal);
      try {
        if (signal.aborted) return;
        const shown = new Set(matching(selector).map((workload) => workload.name));
        yield { type: 'SYNC', workloads: matching(selector) };
        for (;;) {
          const names = await news.next();
          if (names === undefined) return;
          for (const name of names) {
            const entry = entries.get(name);
            if (entry !== undefined && matches(entry, selector)) {
              shown.add(name);
              yield { type: 'SET', workload: workloadOf(entry) };
            } else if (shown.delete(name)) yield { type: 'REMOVED', name };
          }
        }
      } finally {
        news.end();
      }
    },
    async *logs(name, options: LogOptions): AsyncGenerator<string> {
      const entry = entryOf(name);
      const lines = options.previous === true ? entry.previous : entry.lines;
      const news = changes(options.signal);
      try {
        let at = options.tailLines === undefined ? 0 : Math.max(0, lines.length - options.tailLines);
        let generation = entry.generation;
        let current = lines;
        while (!options.signal.aborted) {
          for (; at < current.length && !options.signal.aborted; at += 1) yield current[at] ?? '';
          if (options.follow !== true || entries.get(name) !== entry) return;
          if (entry.generation !== generation) {
            generation = entry.generation;
            current = entry.lines;
            at = 0;
          } else if ((await news.next()) === undefined) return;
        }
      } finally {
        news.end();
      }
    },
    capabilities: () => ({
      kind: 'fake',
      isolation: [],
      missing: [{ what: 'Nothing runs here.', remedy: 'Use a real runtime.' }],
    }),
    become(name, status) {
      const entry = entryOf(name);
      const since =
        status.phase === undefined || status.phase === entry.status.phase
          ? entry.status.since
          : new Date().toISOString();
      entry.status = { ...entry.status, since, ...status };
      changed(name);
    },
    print(name, ...lines) {
      entryOf(name).lines.push(...lines);
      changed(name);
    },
    restart(name) {
      const entry = entryOf(name);
      entry.previous = entry.lines;
      entry.lines = [];
      entry.generation += 1;
      const restartCount = entry.status.restartCount + 1;
      entry.status = { ...entry.status, restartCount, startedAt: new Date().toISOString() };
      changed(name);
    },
    specOf: (name) => entries.get(name)?.spec,
    failNext: (operation, error) => void failures.set(operation, error),
  };
}

const matches = (entry: Entry, selector: LabelSelector): boolean =>
  Object.entries(selector).every(([key, value]) => entry.spec.labels[key] === value);

function workloadOf({ spec, createdAt, status }: Entry): Workload {
  const { secret: _, ...template } = spec.template;
  const { name, labels, annotations, replicas } = spec;
  return structuredClone({ name, labels, annotations, replicas, template, createdAt, status });
}

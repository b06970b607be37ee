import { sleep } from '@haic/kit/deadline.ts';
import { createPlaces } from '@haic/kit/places.ts';
import type { Workload } from '@haic/platform/runtime/port.ts';
import { type LauncherReport, readReport } from './launcher-report.ts';
import { statusPort } from './template.ts';

/** What is known of a process beyond the runtime's own word. */
export interface Progress {
  readonly report: LauncherReport | undefined;
  /** This process was ready before. */
  readonly wasReady: boolean;
}

export interface ProgressTracker {
  /** Called with every state of a workload; asks its launcher for progress while the start is under way. */
  observe(id: string, workload: Workload): void;
  forget(id: string): void;
  of(id: string): Progress;
  stop(): void;
}

export interface ProgressOptions {
  readonly onChange: (id: string) => void;
  /** A process became ready; its report has been read once more, so that its stages are complete. */
  readonly onReady: (id: string) => void;
  /** Somebody looks at this instance right now. */
  readonly isWatched: (id: string) => boolean;
  readonly intervalMs?: number;
}

interface Entry {
  /** Start time of the process that the report is about. */
  process: string | undefined;
  report: LauncherReport | undefined;
  wasReady: boolean;
  workload: Workload;
  /** What is being done about it: asking again and again, asking once more, or nothing. */
  task: 'poll' | 'finish' | undefined;
  taskEnd: AbortController;
}

const defaultIntervalMs = 1_000;
/** A start that takes longer than this is asked about less often, unless somebody watches. */
const eagerMs = 10 * 60_000;
const lazyFactor = 10;
/** Who starts among thousands that are ready reads them one after the other, behind whatever starts just then. */
const finishesAtOnce = 16;
const unknown: Progress = { report: undefined, wasReady: false };

export function createProgressTracker(options: ProgressOptions): ProgressTracker {
  const entries = new Map<string, Entry>();
  const intervalMs = options.intervalMs ?? defaultIntervalMs;
  const inPlace = createPlaces(finishesAtOnce);
  const readInPlace: typeof readReport = (endpoint, signal) =>
    inPlace(() => readReport(endpoint, signal), signal).catch(() => undefined);

  /** Reads once; true when the entry is still about the same process. */
  async function read(id: string, entry: Entry, signal: AbortSignal, ask = readReport): Promise<boolean> {
    const endpoint = entry.workload.status.endpoints[statusPort];
    const process = entry.process;
    const report = endpoint === undefined ? undefined : await ask(endpoint, signal);
    if (signal.aborted || entries.get(id) !== entry || entry.process !== process) return false;
    if (report !== undefined) entry.report = report;
    return true;
  }

  async function poll(id: string, entry: Entry, signal: AbortSignal): Promise<void> {
    const since = Date.now();
    while (!signal.aborted) {
      if (await read(id, entry, signal)) options.onChange(id);
      const eager = options.isWatched(id) || Date.now() - since < eagerMs;
      await sleep(eager ? intervalMs : intervalMs * lazyFactor, signal).catch(() => undefined);
    }
  }

  async function finish(id: string, entry: Entry, signal: AbortSignal): Promise<void> {
    const first = !entry.wasReady;
    entry.wasReady = true;
    if (!(await read(id, entry, signal, readInPlace))) return;
    if (first) options.onReady(id);
    options.onChange(id);
  }

  function switchTo(id: string, entry: Entry, task: Entry['task']): void {
    if (entry.task === task) return;
    entry.taskEnd.abort();
    entry.taskEnd = new AbortController();
    entry.task = task;
    if (task === 'poll') void poll(id, entry, entry.taskEnd.signal);
    if (task === 'finish') void finish(id, entry, entry.taskEnd.signal);
  }

  return {
    observe(id, workload) {
      const { phase, startedAt } = workload.status;
      const entry = entries.get(id) ?? newEntry(workload);
      entries.set(id, entry);
      entry.workload = workload;
      if (startedAt !== undefined && startedAt !== entry.process) {
        switchTo(id, entry, undefined);
        Object.assign(entry, { process: startedAt, report: undefined, wasReady: false });
      }
      const alive = phase === 'Starting' || phase === 'Running';
      switchTo(id, entry, phase === 'Ready' ? 'finish' : alive ? 'poll' : undefined);
    },
    forget(id) {
      entries.get(id)?.taskEnd.abort();
      entries.delete(id);
    },
    of: (id) => entries.get(id) ?? unknown,
    stop() {
      for (const entry of entries.values()) entry.taskEnd.abort();
      entries.clear();
    },
  };
}

const newEntry = (workload: Workload): Entry => ({
  process: undefined,
  report: undefined,
  wasReady: false,
  workload,
  task: undefined,
  taskEnd: new AbortController(),
});

import { sleep } from '@haic/kit/deadline.ts';
import { notFound } from '@haic/kit/errors.ts';
import type { LogOptions } from '../port.ts';
import { ApiError, isUnreachable, type KubeApi } from './api.ts';
import { containerName } from './names.ts';
import type { Pod } from './objects.ts';
import { containerOf } from './status.ts';
import { collections, controllerOf, type View } from './view.ts';

export interface LogContext {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly view: View;
  /** Resolves when something about the workload may have changed, or the signal aborts. */
  news(workload: string, signal: AbortSignal): Promise<void>;
}

/** One run of the process: which pod, and how often it had been started again before. */
interface Run {
  readonly pod: Pod;
  readonly restarts: number;
}

interface Request {
  readonly previous?: boolean;
  readonly follow?: boolean;
  readonly tailLines?: number | undefined;
  readonly signal: AbortSignal;
}

/** A connection that says nothing for so long is made anew: it may have died without a word. */
const quietMs = 600_000;

/** The lines of a workload's current process, and with `follow` those of all that come after it, in whatever pod. */
export async function* readLogs(
  context: LogContext,
  name: string,
  options: LogOptions,
): AsyncGenerator<string> {
  const { signal } = options;
  const { uid } = controllerOf(context.view, name)?.metadata ?? {};
  if (uid === undefined) throw notFound(`The workload ${name}`);
  const lines = createLineReader(context);
  const first = latestRun(context.view, name);
  if (options.follow !== true || options.previous === true) {
    const { tailLines, previous } = options;
    if (first !== undefined) yield* lines.of(first, { tailLines, signal, previous: previous === true });
    return;
  }
  let last: Run | undefined;
  for (;;) {
    const run = await nextRun(context, name, uid, last, signal);
    if (run === undefined) return;
    // One that came and went unseen is still there, as the one before the current.
    const before = last?.pod.metadata.uid === run.pod.metadata.uid ? last.restarts : -1;
    const missed = run.restarts > before + 1 && (last !== undefined || first === undefined);
    if (missed) yield* lines.of(run, { previous: true, signal });
    const tailLines = last === undefined && first !== undefined ? options.tailLines : undefined;
    yield* followRun(context, name, lines, run, { tailLines, signal });
    if (signal.aborted) return;
    last = run;
  }
}

/** Until the run has ended, over as many connections as that takes. */
async function* followRun(
  context: LogContext,
  name: string,
  lines: ReturnType<typeof createLineReader>,
  run: Run,
  options: { tailLines: number | undefined; signal: AbortSignal },
): AsyncGenerator<string> {
  const { signal } = options;
  let { tailLines } = options;
  for (;;) {
    try {
      yield* lines.of(run, { follow: true, tailLines, signal });
    } catch (error) {
      if (signal.aborted) return;
      if (!isUnreachable(error)) throw error;
    }
    if (signal.aborted || hasEnded(context.view, name, run)) return;
    // The API server went away, or the view does not know yet that the run has ended.
    tailLines = undefined;
    await sleep(300, signal).catch(() => {});
  }
}

function createLineReader({ api, namespace }: LogContext) {
  /** Of the last line given out: what was given is not given again when a connection has to be made anew. */
  let latest = '';
  return {
    async *of(run: Run, { signal, ...request }: Request): AsyncGenerator<string> {
      const path = `${collections(namespace).pods}/${run.pod.metadata.name}/log`;
      const query = {
        container: containerName,
        timestamps: true,
        ...request,
        ...(latest !== '' && { sinceTime: latest }),
      };
      try {
        for await (const line of api.lines({ path, query, quietMs, signal })) {
          const [, time = '', text = ''] = stamped.exec(line) ?? [];
          // Without a time it is no line of the process: the kubelet says in its place that it has no log (any more).
          if (time <= latest) continue;
          latest = time;
          yield text;
          if (signal.aborted) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        // There is no log: the process has not started yet, there was none before it, or its pod is gone.
        if (error instanceof ApiError && (error.status === 400 || error.status === 404)) return;
        throw error;
      }
    },
  };
}

/** The kubelet's time has always nine decimals, so that times compare as text. A line may end as those of Windows do. */
const stamped = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\S+) (.*?)\r?$/s;

/** Waits for a run other than the last; undefined when the workload is gone or the signal aborts. */
async function nextRun(
  context: LogContext,
  name: string,
  uid: string,
  last: Run | undefined,
  signal: AbortSignal,
): Promise<Run | undefined> {
  while (!signal.aborted) {
    if (controllerOf(context.view, name)?.metadata.uid !== uid) return undefined;
    const run = latestRun(context.view, name);
    if (run !== undefined && !isSame(run, last)) return run;
    await context.news(name, signal);
  }
  return undefined;
}

/** Of the newest pod that has had a process; undefined before there is one. */
function latestRun(view: View, name: string): Run | undefined {
  const pods = view.pods
    .group(name)
    .toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1));
  for (const pod of pods) {
    const { state, lastState, restartCount = 0 } = containerOf(pod) ?? {};
    const began = state?.running ?? state?.terminated ?? lastState?.terminated;
    if (began !== undefined) return { pod, restarts: restartCount };
  }
  return undefined;
}

const isSame = (run: Run, other: Run | undefined): boolean =>
  run.pod.metadata.uid === other?.pod.metadata.uid && run.restarts === other.restarts;

function hasEnded(view: View, name: string, run: Run): boolean {
  const latest = latestRun(view, name);
  if (latest === undefined || !isSame(latest, run)) return true;
  const now = view.pods.get(run.pod.metadata.name);
  return containerOf(now)?.state?.running === undefined;
}

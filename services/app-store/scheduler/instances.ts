import { deadline, sleep } from '@haic/kit/deadline.ts';
import { messageOf, unavailable } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime, Workload } from '@haic/platform/runtime/port.ts';
import { createInstanceIndex, type InstanceQuery, type Place } from './instance-index.ts';
import { type Instance, identityOf, instanceIdOfWorkload, instanceSelector } from './model.ts';
import { createProgressTracker } from './progress.ts';
import { createStartHistory, stagesOf } from './stages.ts';
import { failureOf, stateOf } from './state.ts';
import { appPort, statusPort } from './template.ts';

export type InstanceChange =
  | { readonly type: 'SNAPSHOT'; readonly instances: readonly Instance[] }
  | { readonly type: 'SET'; readonly instance: Instance }
  | { readonly type: 'REMOVE'; readonly id: string }
  /** Nothing happened for the asked time: a moment for a sign of life. */
  | { readonly type: 'IDLE' };

/** An instance, and the workload that it was read from. */
export interface Shown {
  readonly workload: Workload;
  readonly instance: Instance;
}

/** All instances as one watch of the runtime shows them, for everyone who follows them. */
export interface Instances {
  /**
   * What a list of the runtime would show, the newest first, from the first or from the first behind a place. To be read at once. Throws
   * `runtime_unavailable` (503) when the runtime has told nothing yet and goes on so.
   */
  inOrder(query: InstanceQuery, behind?: Place): Promise<Iterable<Shown>>;
  /** The instance that a workload just read from the runtime is, with what is known of its progress. */
  of(workload: Workload): Instance | undefined;
  /**
   * A SNAPSHOT as soon as the runtime has told its state, then changes; ends when the signal aborts. A slow reader gets the latest
   * state of each instance and costs no more memory than there are instances. `only` restricts it to one instance.
   */
  changes(options: { signal: AbortSignal; idleMs: number; only?: string }): AsyncGenerator<InstanceChange>;
  stop(): void;
}

interface Subscriber {
  readonly only: string | undefined;
  readonly pending: Map<string, Instance | undefined>;
  wake: () => void;
}

const retryMs = 1_000;
/** The first word of the runtime comes at once, or something is wrong with it. */
const firstWordMs = 30_000;

export function createInstances(options: {
  runtime: Runtime;
  logger: Logger;
  now: () => number;
  progressIntervalMs?: number;
  firstWordMs?: number;
}): Instances {
  const stopped = new AbortController();
  const known = createInstanceIndex<Shown & { readonly text: string }>(({ instance }) => instance);
  const subscribers = new Set<Subscriber>();
  const history = createStartHistory();
  const lookedAfterSince = new Date(options.now()).toISOString();
  const firstWord = Promise.withResolvers<void>();
  let synced = false;
  const tracker = createProgressTracker({
    onChange: refresh,
    onReady: (id) => {
      const entry = known.get(id);
      const instance = entry && derive(entry.workload);
      // The wait after a crash says nothing of how long a queue usually is.
      if (instance !== undefined)
        history.record(
          instance.app.id,
          instance.stages.filter((stage) => stage.name !== 'queued' || instance.restartCount === 0),
        );
    },
    isWatched: (id) => [...subscribers].some((subscriber) => subscriber.only === id),
    ...(options.progressIntervalMs === undefined ? {} : { intervalMs: options.progressIntervalMs }),
  });

  /** What is shown already holds for as long as the runtime shows the very same workload: `refresh` replaces it when more is known. */
  function of(workload: Workload): Instance | undefined {
    const entry = known.get(identityOf(workload)?.id ?? '');
    return entry?.workload === workload ? entry.instance : derive(workload);
  }

  function derive(workload: Workload): Instance | undefined {
    const identity = identityOf(workload);
    if (identity === undefined) return undefined;
    const { status } = workload;
    const { report, wasReady } = tracker.of(identity.id);
    const facts = {
      workload: status,
      memoryLimit: workload.template.resources.memoryLimit,
      report,
      wasReady: wasReady && status.phase !== 'Ready',
      pause:
        workload.replicas === 0 ? { by: identity.pausedBy, suspendAfter: identity.suspendAfter } : undefined,
    };
    return {
      ...identity,
      ...stateOf(facts),
      restartCount: status.restartCount,
      lastFailure: failureOf(facts),
      stages: stagesOf({
        createdAt: identity.resumedAt ?? identity.createdAt,
        lookedAfterSince,
        workload: status,
        report,
        usual: (stage) => history.usual(identity.app.id, stage),
      }),
      statusEndpoint: status.endpoints[statusPort],
      appEndpoint: status.endpoints[appPort],
    };
  }

  function refresh(id: string): void {
    const entry = known.get(id);
    if (entry !== undefined) put(entry.workload);
  }

  function put(workload: Workload): void {
    const id = identityOf(workload)?.id;
    if (id === undefined) {
      options.logger.warn(`The workload ${workload.name} carries the label of an instance and is none.`);
      remove(instanceIdOfWorkload(workload.name));
      return;
    }
    const instance = derive(workload);
    if (instance === undefined) return;
    const text = JSON.stringify(instance);
    const before = known.get(id);
    known.put({ workload, instance, text });
    if (before?.text !== text) publish(id, instance);
  }

  function observe(workload: Workload): void {
    const id = identityOf(workload)?.id;
    if (id !== undefined) tracker.observe(id, workload);
    put(workload);
  }

  function remove(id: string | undefined): void {
    if (id === undefined) return;
    tracker.forget(id);
    if (known.remove(id)) publish(id, undefined);
  }

  function publish(id: string, instance: Instance | undefined): void {
    for (const subscriber of subscribers) {
      if (subscriber.only !== undefined && subscriber.only !== id) continue;
      subscriber.pending.set(id, instance);
      subscriber.wake();
    }
  }

  async function follow(): Promise<void> {
    for await (const event of options.runtime.watch(instanceSelector, { signal: stopped.signal })) {
      if (event.type === 'SET') observe(event.workload);
      else if (event.type === 'REMOVED') remove(instanceIdOfWorkload(event.name));
      else {
        const present = new Set(event.workloads.map((workload) => identityOf(workload)?.id));
        for (const { instance } of [...known.inOrder({})]) if (!present.has(instance.id)) remove(instance.id);
        for (const workload of event.workloads) observe(workload);
        synced = true;
        firstWord.resolve();
        for (const subscriber of subscribers) subscriber.wake();
      }
    }
  }

  async function followForEver(): Promise<void> {
    while (!stopped.signal.aborted) {
      await follow().catch((error: unknown) => {
        if (!stopped.signal.aborted)
          options.logger.error(`Watching the runtime failed (${messageOf(error)}); trying again.`);
      });
      await sleep(retryMs, stopped.signal).catch(() => undefined);
    }
  }
  void followForEver();

  async function* changes({ signal, idleMs, only }: Parameters<Instances['changes']>[0]) {
    const end = AbortSignal.any([signal, stopped.signal]);
    const subscriber: Subscriber = { only, pending: new Map(), wake: () => undefined };
    subscribers.add(subscriber);
    try {
      while (!synced && !end.aborted) {
        if (!(await waitFor(subscriber, idleMs, end)) && !end.aborted) yield { type: 'IDLE' } as const;
      }
      if (end.aborted) return;
      subscriber.pending.clear();
      yield { type: 'SNAPSHOT', instances: snapshot(only) } as const;
      while (!end.aborted) {
        const next = subscriber.pending.entries().next();
        if (next.done) {
          if (!(await waitFor(subscriber, idleMs, end)) && !end.aborted) yield { type: 'IDLE' } as const;
          continue;
        }
        const [id, instance] = next.value;
        subscriber.pending.delete(id);
        yield instance === undefined
          ? ({ type: 'REMOVE', id } as const)
          : ({ type: 'SET', instance } as const);
      }
    } finally {
      subscribers.delete(subscriber);
    }
  }

  function snapshot(only: string | undefined): Instance[] {
    if (only === undefined) return [...known.inOrder({})].map(({ instance }) => instance);
    const entry = known.get(only);
    return entry === undefined ? [] : [entry.instance];
  }

  async function inOrder(query: InstanceQuery, behind?: Place): Promise<Iterable<Shown>> {
    if (!synced)
      await within(firstWord.promise, deadline(options.firstWordMs ?? firstWordMs, stopped.signal));
    return known.inOrder(query, behind);
  }

  return {
    inOrder,
    of,
    changes,
    stop() {
      stopped.abort();
      tracker.stop();
    },
  };
}

/** The promise goes on when the signal aborts; who waits does not. */
function within(told: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const tooLate = () =>
      reject(
        unavailable(
          'runtime_unavailable',
          'What runs is not known yet: the runtime has not told it. Try again in a moment.',
        ),
      );
    signal.addEventListener('abort', tooLate, { once: true });
    void told.then(() => {
      signal.removeEventListener('abort', tooLate);
      resolve();
    });
  });
}

/** Resolves true when something is pending, false when the time is up or the signal aborted. */
function waitFor(subscriber: Subscriber, milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (woken: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      subscriber.wake = () => undefined;
      resolve(woken);
    };
    const onAbort = () => done(false);
    const timer = setTimeout(done, milliseconds, false);
    subscriber.wake = () => done(true);
    if (signal.aborted) done(false);
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

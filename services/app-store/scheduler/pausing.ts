import type { Principal } from '@haic/kit/auth/principal.ts';
import { conflict, messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import {
  type Instance,
  identityOf,
  instanceSelector,
  type PausedBy,
  pausedAnnotations,
  resumedAnnotations,
  type SuspendAfter,
  suspendAfterAnnotations,
  suspendAtAnnotation,
  workloadNameOf,
} from './model.ts';
import { enforce, mayManage, maySetSuspendAfter } from './policy.ts';
import { stillPausing } from './state.ts';

/** Pausing and waking up. When an instance is due stands at its workload, so that a restart of the platform forgets nothing. */
export interface Pausing {
  suspend(actor: Principal, id: string): Promise<Instance>;
  resume(actor: Principal, id: string): Promise<Instance>;
  /** The time until it pauses by itself begins anew. */
  extend(actor: Principal, id: string): Promise<Instance>;
  setSuspendAfter(actor: Principal, id: string, after: SuspendAfter): Promise<Instance>;
  /** Pauses every instance whose time is up. */
  pauseDue(): Promise<void>;
}

export function createPausing(options: {
  readonly runtime: Runtime;
  /** Without a look at who asks; throws when there is no such instance. */
  readonly load: (id: string) => Promise<Instance>;
  readonly now: () => number;
  readonly writeSignal: () => AbortSignal;
  readonly logger: Logger;
}): Pausing {
  const { runtime, load, logger } = options;
  const inTurn = createTurns();

  const patch = (id: string, change: Parameters<Runtime['patch']>[1]) =>
    runtime.patch(workloadNameOf(id), change, { signal: options.writeSignal() });

  /** Looks, decides and acts as one step, so that a pause that is due cannot overtake whoever has just extended. */
  function change(actor: Principal, id: string, act: (instance: Instance) => Promise<unknown>) {
    return inTurn(id, async () => {
      const instance = await load(id);
      enforce(mayManage(actor, instance), `The instance ${id}`);
      await act(instance);
      return load(id);
    });
  }

  const pause = (id: string, by: PausedBy) =>
    patch(id, { replicas: 0, annotations: pausedAnnotations(by, options.now()) });

  async function pauseIfDue(id: string): Promise<void> {
    const workload = await runtime.get(workloadNameOf(id));
    const identity = workload && identityOf(workload);
    if (workload?.replicas !== 1 || identity?.suspendAt === undefined) return;
    if (Date.parse(identity.suspendAt) > options.now()) return;
    await pause(id, 'time-limit');
    logger.info({ instance: id }, 'Its time was up; the instance is paused.');
  }

  return {
    suspend: (actor, id) =>
      change(actor, id, async (instance) => {
        refuseEnding(instance);
        if (instance.status === 'SUSPENDED')
          throw conflict('already_paused', 'This instance is paused already. Resume it to use it again.');
        await pause(id, actor.subject === instance.owner.subject ? 'owner' : 'administrator');
      }),
    resume: (actor, id) =>
      change(actor, id, async (instance) => {
        refuseEnding(instance);
        if (instance.status !== 'SUSPENDED')
          throw conflict('not_paused', 'This instance is not paused, so there is nothing to resume.');
        // Its old process is still on its way out; a new one beside it would take the end of the old one for a crash.
        if (instance.reason === stillPausing)
          throw conflict('still_pausing', 'This instance is still being paused. Try again in a few seconds.');
        await patch(id, {
          replicas: 1,
          annotations: resumedAnnotations(instance.suspendAfter, options.now()),
        });
      }),
    extend: (actor, id) =>
      change(actor, id, async (instance) => {
        refuseEnding(instance);
        if (instance.status === 'SUSPENDED')
          throw conflict('already_paused', 'This instance is paused already. Resume it instead.');
        if (instance.suspendAfter === 'never')
          throw conflict('nothing_to_extend', 'This instance does not pause by itself.');
        await patch(id, { annotations: suspendAtAnnotation(instance.suspendAfter, options.now()) });
      }),
    setSuspendAfter: (actor, id, after) =>
      change(actor, id, async (instance) => {
        enforce(maySetSuspendAfter(actor, instance), `The instance ${id}`);
        const runs = instance.status !== 'SUSPENDED';
        await patch(id, { annotations: suspendAfterAnnotations(after, { runs, now: options.now() }) });
      }),
    async pauseDue() {
      for (const workload of await runtime.list(instanceSelector)) {
        const id = identityOf(workload)?.id;
        if (id === undefined) continue;
        await inTurn(id, () => pauseIfDue(id)).catch((error: unknown) =>
          logger.warn(`Instance ${id} could not be paused (${messageOf(error)}); trying again later.`),
        );
      }
    },
  };
}

function refuseEnding(instance: Instance): void {
  if (instance.status === 'TERMINATING')
    throw conflict('instance_ending', 'This instance is being stopped; nothing can be changed on it now.');
}

/** Work on one id happens one after another; work on different ids does not wait. */
function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const before = last.get(id) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(work);
    last.set(id, mine);
    const forget = () => {
      if (last.get(id) === mine) last.delete(id);
    };
    mine.then(forget, forget);
    return mine;
  };
}

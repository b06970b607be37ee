import type { Principal } from '@haic/kit/auth/principal.ts';
import { conflict, messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import {
  type Instance,
  type InstanceIdentity,
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
import type { InTurn } from './turns.ts';

/** Pausing and waking up. When an instance is due stands at its workload, so that a restart of the platform forgets nothing. */
export interface Pausing {
  suspend(actor: Principal, id: string): Promise<Instance>;
  resume(actor: Principal, id: string): Promise<Instance>;
  /** The time until it pauses by itself begins anew. */
  extend(actor: Principal, id: string): Promise<Instance>;
  setSuspendAfter(actor: Principal, id: string, after: SuspendAfter): Promise<Instance>;
  /** Pauses every instance whose time is up. */
  pauseDue(): Promise<void>;
  /** Pauses all that a person runs who was disabled or removed. */
  pauseOf(subject: string): Promise<void>;
  /** Pauses what runs and belongs to nobody who may sign in: what a crash kept `pauseOf` from, or a start that overtook it. */
  pauseOwnerless(): Promise<void>;
}

export function createPausing(options: {
  readonly runtime: Runtime;
  readonly identity: Pick<IdentityClient, 'activeAmong'>;
  readonly inTurn: InTurn;
  /** Without a look at who asks; throws when there is no such instance. */
  readonly load: (id: string) => Promise<Instance>;
  readonly now: () => number;
  readonly writeSignal: () => AbortSignal;
  readonly logger: Logger;
}): Pausing {
  const { runtime, identity, inTurn, load, logger } = options;

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

  const isDue = ({ suspendAt }: InstanceIdentity): boolean =>
    suspendAt !== undefined && Date.parse(suspendAt) <= options.now();

  async function pauseIfDue(id: string): Promise<void> {
    const workload = await runtime.get(workloadNameOf(id));
    const identity = workload && identityOf(workload);
    if (workload?.replicas !== 1 || identity === undefined || !isDue(identity)) return;
    await pause(id, 'time-limit');
    logger.info({ instance: id }, 'Its time was up; the instance is paused.');
  }

  /** Looks at every instance that is to run and seems to be meant, each in its turn. One that cannot be paused keeps no other from it. */
  async function pauseWhere(
    what: string,
    isMeant: (found: InstanceIdentity) => boolean,
    pauseOne: (found: InstanceIdentity) => Promise<void>,
  ): Promise<void> {
    for (const workload of await runtime.list(instanceSelector)) {
      const found = identityOf(workload);
      if (found === undefined || workload.replicas !== 1 || !isMeant(found)) continue;
      await inTurn(found.id, () => pauseOne(found)).catch((error: unknown) =>
        logger.warn(
          `Instance ${found.id} could not be paused ${what} (${messageOf(error)}); trying again later.`,
        ),
      );
    }
  }

  const pauseAllOf = (ended: (subject: string) => boolean) =>
    pauseWhere(
      'for an owner who is disabled or gone',
      ({ owner }) => ended(owner.subject),
      async ({ id, owner }) => {
        const workload = await runtime.get(workloadNameOf(id));
        // Handed over or paused while this waited for its turn.
        if (workload?.replicas !== 1 || identityOf(workload)?.owner.subject !== owner.subject) return;
        await pause(id, 'owner-ended');
        logger.info({ instance: id, owner: owner.username }, 'Its owner is disabled or gone; it is paused.');
      },
    );

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
        const { subject, username } = instance.owner;
        if ((await identity.activeAmong([subject])).length === 0)
          throw conflict(
            'owner_unavailable',
            `${username} is disabled or gone, so nothing of theirs runs. Hand it over to somebody else first.`,
          );
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
    pauseDue: () => pauseWhere('in time', isDue, ({ id }) => pauseIfDue(id)),
    pauseOf: (subject) => pauseAllOf((owner) => owner === subject),
    async pauseOwnerless() {
      const running = (await runtime.list(instanceSelector)).filter(({ replicas }) => replicas === 1);
      const owners = new Set(running.map((workload) => identityOf(workload)?.owner.subject ?? ''));
      owners.delete('');
      if (owners.size === 0) return;
      const active = new Set(await identity.activeAmong([...owners]));
      // Only who was asked about: what started meanwhile has its own turn.
      const ended = new Set([...owners].filter((owner) => !active.has(owner)));
      if (ended.size > 0) await pauseAllOf((owner) => ended.has(owner));
    },
  };
}

function refuseEnding(instance: Instance): void {
  if (instance.status === 'TERMINATING')
    throw conflict('instance_ending', 'This instance is being stopped; nothing can be changed on it now.');
}

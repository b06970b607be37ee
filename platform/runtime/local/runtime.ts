import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { conflict, fromWriteError, invalid, notFound, unavailable } from '@haic/kit/errors.ts';
import { canonical, merged } from '../merge.ts';
import type { PodTemplate, Runtime, Workload, WorkloadSpec } from '../port.ts';
import { checkMetadata, checkSpec } from '../validate.ts';
import { createWatchHub, matches } from '../watch-hub.ts';
import { findCgroups } from './cgroup.ts';
import { chooseIsolation, describeCapabilities } from './isolation.ts';
import { lockDirectory } from './lock.ts';
import { defaultTiming, type LocalRuntimeOptions } from './options.ts';
import { createPorts } from './ports.ts';
import { newPod, openRecords, type StoredWorkload, type WorkloadRecord } from './records.ts';
import { createSupervisor, type Supervisor, type SupervisorContext } from './supervisor.ts';
import { openVolumes } from './volumes.ts';
import { readLogs } from './workload-logs.ts';

export type { ImageMount, LocalImage, LocalRuntimeOptions } from './options.ts';

export interface LocalRuntime extends Runtime {
  /** Whether workloads are sandboxed; what that means is in `capabilities()`. */
  readonly isolated: boolean;
  /** From now on workloads are brought to what is asked for; only where the runtime was `held`. */
  begin(): void;
  /** The platform stops; workloads go on and are found again by the next start. */
  stop(): Promise<void>;
  /** Ends all workloads' processes, then stops. Their records stay: the next start starts them again. */
  shutdown(): Promise<void>;
}

const plainRoots = ['/app', '/resources', '/var/run/haic'];

/** Supervises processes on this machine, one Linux, and takes over those that an earlier process of the platform had started. */
export async function createLocalRuntime(given: LocalRuntimeOptions): Promise<LocalRuntime> {
  const options = {
    ...given,
    stateDirectory: path.resolve(given.stateDirectory),
    volumesDirectory: path.resolve(given.volumesDirectory),
  };
  for (const directory of [options.stateDirectory, options.volumesDirectory])
    await mkdir(directory, { recursive: true, mode: 0o711 });
  // The helper of a platform that was just killed needs a moment to see it.
  const lock = await lockDirectory(options.stateDirectory, { patienceMs: 3_000 });
  try {
    return await open(options, () => lock.release());
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function open(options: LocalRuntimeOptions, release: () => Promise<void>): Promise<LocalRuntime> {
  const isolation = await chooseIsolation(options);
  const cgroups = await findCgroups(cgroupParent(options));
  const records = await openRecords(options.stateDirectory);
  const volumes = await openVolumes({ ...options, directoryOf: records.directoryOf });
  const supervisors = new Map<string, Supervisor>();
  const loops = new Set<Promise<void>>();
  const stopped = new AbortController();
  const hub = createWatchHub({
    all: () => [...supervisors.values()].map((supervisor) => supervisor.workload()),
    get: (name) => supervisors.get(name)?.workload(),
  });
  const context: SupervisorContext = {
    records,
    volumes,
    ports: createPorts(),
    cgroups,
    isolation,
    images: options.images,
    timing: { ...defaultTiming, ...options.timing },
    logLimitBytes: options.logLimitBytes ?? 10 * 1024 * 1024,
    processLimit: options.processLimit ?? 4_096,
    logger: options.logger,
    changed: hub.changed,
    gone: (name) => void supervisors.delete(name),
    stopped: stopped.signal,
  };
  const add = async (stored: StoredWorkload) => {
    const supervisor = await createSupervisor(context, stored);
    supervisors.set(stored.record.spec.name, supervisor);
    return supervisor;
  };
  let held: Supervisor[] | undefined = options.held === true ? [] : undefined;
  const run = (supervisor: Supervisor) => {
    if (held !== undefined) {
      held.push(supervisor);
      return;
    }
    const loop = supervisor.run().finally(() => loops.delete(loop));
    loops.add(loop);
  };
  for (const stored of await records.load()) await add(stored);
  await sweep(cgroups, supervisors);
  for (const supervisor of supervisors.values()) run(supervisor);

  const begin = () => {
    const waiting = held ?? [];
    held = undefined;
    for (const supervisor of waiting) run(supervisor);
  };

  /** Changes of what is asked for happen one after the other: they check each other's ports, claims and uids. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const turn = last.then(() => {
      signal.throwIfAborted();
      if (stopped.signal.aborted) throw unavailable('runtime_stopped', 'The platform is stopping.');
      return work();
    });
    last = turn.catch(() => {});
    return turn;
  };
  const known = (name: string): Supervisor => {
    const supervisor = supervisors.get(name);
    if (supervisor === undefined) throw notFound(`The workload ${name}`);
    return supervisor;
  };
  const changeable = (supervisor: Supervisor) => {
    if (supervisor.removal() !== undefined)
      throw conflict('workload_conflict', `${supervisor.record().spec.name} is just being removed.`);
    return supervisor;
  };
  const save = async (record: WorkloadRecord, secret: Readonly<Record<string, string>>) => {
    await records.save(record, secret).catch((error) => {
      throw fromWriteError(error);
    });
  };
  const withUsage = async (supervisor: Supervisor): Promise<Workload> => {
    const usage = await supervisor.usage().catch(() => ({}));
    const workload = supervisor.workload();
    return { ...workload, status: { ...workload.status, usage } };
  };

  async function applyNow(spec: WorkloadSpec): Promise<Workload> {
    checkSpec(spec, options.images, isolation.isolated ? undefined : plainRoots);
    refuseOtherMachines(spec.template);
    checkConflicts(spec, supervisors.values());
    const { secret, ...template } = spec.template;
    const existing = supervisors.get(spec.name);
    if (existing !== undefined) {
      const before = changeable(existing).record();
      const sameTemplate =
        canonical(spec.template) ===
        canonical({ ...before.spec.template, secret: await records.secretOf(before) });
      const generation = sameTemplate ? before.generation : before.generation + 1;
      const uid = options.images[template.image]?.uid ?? before.uid;
      const record = { ...before, uid, generation, spec: { ...spec, template } };
      await save(record, secret);
      existing.update(record);
      return existing.workload();
    }
    const uid = options.images[template.image]?.uid ?? (await freeUid());
    const createdAt = new Date().toISOString();
    const record: WorkloadRecord = { version: 1, createdAt, uid, generation: 1, spec: { ...spec, template } };
    await save(structuredClone(record), secret);
    const supervisor = await add({ record: structuredClone(record), pod: newPod(1), removal: undefined });
    context.changed(spec.name);
    run(supervisor);
    return supervisor.workload();
  }

  async function freeUid(): Promise<number> {
    const taken = new Set([...supervisors.values()].map((supervisor) => supervisor.record().uid));
    for (const uid of await volumes.uidsInUse()) taken.add(uid);
    const { first, count } = options.uids;
    for (let uid = first; uid < first + count; uid += 1) if (!taken.has(uid)) return uid;
    throw unavailable(
      'runtime_full',
      `All ${count} places for workloads are taken. Remove some instances first.`,
    );
  }

  async function end(): Promise<void> {
    stopped.abort();
    await last;
    await Promise.all(loops);
    // Fails, as it should, while workloads go on in it.
    await cgroups?.close();
    await release();
  }

  return {
    isolated: isolation.isolated,
    apply: (spec, { signal }) => inTurn(signal, () => applyNow(structuredClone(spec))),
    patch: (name, change, { signal }) =>
      inTurn(signal, async () => {
        const supervisor = changeable(known(name));
        const before = supervisor.record();
        const spec = {
          ...before.spec,
          labels: merged(before.spec.labels, change.labels),
          annotations: merged(before.spec.annotations, change.annotations),
          replicas: change.replicas ?? before.spec.replicas,
        };
        checkMetadata(spec);
        if (spec.replicas !== 0 && spec.replicas !== 1)
          throw invalid('invalid_workload', 'replicas is 0 or 1.');
        const record = { ...before, spec };
        await save(record, {});
        supervisor.update(record);
        return supervisor.workload();
      }),
    async remove(name, { volumes: what, signal }) {
      const removal = { volumes: what };
      const supervisor = await inTurn(signal, async () => {
        const found = supervisors.get(name);
        if (found !== undefined && found.removal() === undefined)
          await records.saveRemoval(name, removal).catch((error) => {
            throw fromWriteError(error);
          });
        // Inside the turn: nobody may change what is as good as gone.
        return found === undefined ? undefined : { done: found.remove(removal) };
      });
      await untilDone(supervisor?.done, signal);
    },
    async get(name) {
      const supervisor = supervisors.get(name);
      return supervisor === undefined ? undefined : withUsage(supervisor);
    },
    list: async (selector) =>
      [...supervisors.values()]
        .map((supervisor) => supervisor.workload())
        .filter((workload) => matches(workload.labels, selector)),
    watch: (selector, { signal }) => hub.watch(selector, AbortSignal.any([signal, stopped.signal])),
    logs: (name, { signal, ...rest }) =>
      readLogs(() => supervisors.get(name), name, {
        ...rest,
        signal: AbortSignal.any([signal, stopped.signal]),
      }),
    capabilities: () => describeCapabilities(isolation, cgroups),
    begin,
    stop: end,
    async shutdown() {
      await last;
      const drained = Promise.all([...supervisors.values()].map((supervisor) => supervisor.drain()));
      // Only now, when each knows that it is to end: nothing is started for it.
      begin();
      await drained;
      await end();
    },
  };
}

/** Of its own for each state directory: two installations on a machine do not sweep each other's workloads away. */
const cgroupParent = ({ cgroupName = 'haic', stateDirectory }: LocalRuntimeOptions): string =>
  `${cgroupName}-${createHash('sha256').update(stateDirectory).digest('hex').slice(0, 10)}`;

/** Ends what runs in a group that belongs to no attempt we know of: nothing that the platform started is left behind. */
async function sweep(
  cgroups: Awaited<ReturnType<typeof findCgroups>>,
  supervisors: ReadonlyMap<string, Supervisor>,
) {
  for (const name of (await cgroups?.list()) ?? []) {
    const [workload = '', number] = name.split('.');
    const attempt = supervisors.get(workload)?.currentAttempt();
    if (attempt !== undefined && !attempt.ended && String(attempt.number) === number) continue;
    const group = cgroups?.open(name);
    await group?.kill(undefined);
    await group?.remove();
  }
}

/** What only a cluster can give is refused, rather than left out: whoever asks for a GPU would wait for it in vain. */
function refuseOtherMachines({ resources, nodeSelector = {}, tolerations = [] }: PodTemplate): void {
  if (resources.gpus !== undefined)
    throw invalid(
      'invalid_workload',
      'Workloads get no GPUs on a single machine; Haic on Kubernetes gives them.',
    );
  if (Object.keys(nodeSelector).length > 0 || tolerations.length > 0)
    throw invalid('invalid_workload', 'There are no nodes to choose from: Haic runs on this one machine.');
}

function checkConflicts(spec: WorkloadSpec, others: Iterable<Supervisor>): void {
  const ports = new Set(spec.template.ports.flatMap(({ port }) => port ?? []));
  const claims = new Set(claimsOf(spec.template));
  for (const other of others) {
    const { name, template } = other.record().spec;
    if (name === spec.name) continue;
    for (const { port } of template.ports)
      if (port !== undefined && ports.has(port))
        throw conflict(
          'workload_conflict',
          `Port ${port} belongs to another app on this machine. Choose another one, or end that app.`,
        );
    for (const claim of claimsOf(template))
      if (claims.has(claim))
        throw conflict('workload_conflict', `The volume ${claim} is used by another workload.`);
  }
}

const claimsOf = ({ volumes }: Pick<PodTemplate, 'volumes'>): string[] =>
  volumes.flatMap(({ source }) => (source.kind === 'persistent' ? source.claim : []));

/** Waits no longer than the signal allows; what is being done goes on. */
function untilDone(done: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    Promise.resolve(done)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

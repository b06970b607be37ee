import { sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { createLatch } from '../latch.ts';
import type { Workload } from '../port.ts';
import { type ProcessEnd, terminationOf } from '../termination.ts';
import { type Attempt, findAttempt, type RawEnd } from './attempt.ts';
import { type AttemptLog, openAttemptLog } from './attempt-log.ts';
import type { Cgroups } from './cgroup.ts';
import type { Isolation } from './isolation.ts';
import { launch, plainMarker } from './launch.ts';
import { backOffDelay, isLive, mayFollow } from './model.ts';
import type { LocalImage, Timing } from './options.ts';
import { type Ports, PortTaken } from './ports.ts';
import { createPresenter } from './present.ts';
import { runProbes } from './probes.ts';
import {
  newPod,
  type PodRecord,
  type Records,
  type Removal,
  type StoredWorkload,
  type WorkloadRecord,
} from './records.ts';
import type { Volumes } from './volumes.ts';

export interface SupervisorContext {
  readonly records: Records;
  readonly volumes: Volumes;
  readonly ports: Ports;
  readonly cgroups: Cgroups | undefined;
  readonly isolation: Isolation;
  readonly images: Readonly<Record<string, LocalImage>>;
  readonly timing: Timing;
  readonly logLimitBytes: number;
  readonly processLimit: number;
  readonly logger: Logger;
  readonly changed: (name: string) => void;
  /** The workload is forgotten. */
  readonly gone: (name: string) => void;
  /** The platform ends; processes go on. */
  readonly stopped: AbortSignal;
}

/** One workload: its records, its process, and the one loop that brings what is to what was asked for. */
export interface Supervisor {
  readonly record: () => WorkloadRecord;
  readonly removal: () => Removal | undefined;
  workload(): Workload;
  usage(): Promise<Workload['status']['usage']>;
  /** What was asked for has changed, and is on the disk. */
  update(record: WorkloadRecord): void;
  /** The removal is on the disk. Resolves when the workload is gone. */
  remove(removal: Removal): Promise<void>;
  /** `./haic down`: ends the process and keeps everything else. Resolves when nothing runs. */
  drain(): Promise<void>;
  /** Logs of the current attempt and the one before, and a wait for something to happen. */
  logOf(attempt: number): Promise<AttemptLog | undefined>;
  currentAttempt(): { number: number; ended: boolean };
  readonly news: { next(signal: AbortSignal): Promise<void> };
  run(): Promise<void>;
}

interface Running {
  readonly attempt: Attempt;
  readonly generation: number;
  readonly stopProbes: AbortController;
  end: RawEnd | undefined;
  probeFailure: string | undefined;
}

export async function createSupervisor(
  context: SupervisorContext,
  stored: StoredWorkload,
): Promise<Supervisor> {
  const { records, timing, stopped } = context;
  const { name } = stored.record.spec;
  const logger = context.logger.child({ workload: name });
  let { record, pod, removal } = stored;
  const shown = createPresenter();
  let running: Running | undefined;
  let draining = false;
  let drained = false;
  let gone = false;
  let saving: Promise<void> = Promise.resolve();
  const asked = createLatch();
  const news = createLatch();
  const logs = new Map<number, Promise<AttemptLog>>();

  function say(change: Partial<PodRecord>): void {
    const phase = change.phase ?? pod.phase;
    if (!mayFollow(pod.phase, phase))
      logger.error({ from: pod.phase, to: phase }, 'an impossible change of phase');
    const before = new Map<string, unknown>(Object.entries(pod));
    if (Object.entries(change).every(([key, value]) => before.get(key) === value)) return;
    const since = phase === pod.phase ? pod.since : new Date().toISOString();
    pod = { ...pod, ...change, since };
    const snapshot = pod;
    // Lost in a crash of the machine at worst, and then the process is gone too. A full disk must not end the supervision.
    saving = saving
      .then(() => (gone ? undefined : records.savePod(name, snapshot, { durable: false })))
      .catch((error) => logger.warn(`Its state could not be written: ${messageOf(error)}`));
    announce();
  }

  function announce(): void {
    news.open();
    context.changed(name);
  }

  async function step(): Promise<void> {
    if (running !== undefined) return stepRunning(running);
    if (removal !== undefined) return forget(removal);
    if (draining) {
      say({
        phase: 'Pending',
        reason: 'PlatformStopped',
        message: 'The platform is stopped; it starts again with it.',
      });
      drained = true;
      news.open();
      return asked.wait(stopped);
    }
    if (record.spec.replicas === 0) return suspend();
    if (pod.generation !== record.generation || pod.phase === 'Suspended' || pod.phase === 'Terminating') {
      // Another pod begins: with its own count of restarts, and with empty ephemeral volumes.
      await context.volumes.clearEphemeral(name);
      say({ ...newPod(record.generation), attempt: pod.attempt, ports: pod.ports });
    }
    if (pod.phase === 'Succeeded' || pod.phase === 'Failed') return asked.wait(stopped);
    const wait = pod.notBefore - Date.now();
    // A clock that was set back must not make anybody wait for years.
    if (wait > 0 && wait <= timing.backOffLongest) return asked.wait(stopped, wait);
    await start();
  }

  async function stepRunning(now: Running): Promise<void> {
    const unwanted =
      removal !== undefined || draining || record.spec.replicas === 0 || now.generation !== record.generation;
    if (now.end !== undefined) return afterEnd(now, now.end, unwanted);
    if (!unwanted && now.probeFailure === undefined) return asked.wait(stopped);
    now.stopProbes.abort();
    const message = unwanted ? 'It is being stopped.' : (now.probeFailure ?? '');
    say({ phase: 'Terminating', reason: unwanted ? '' : 'ProbeFailed', message });
    // Shorter grace for nobody: whoever removes while it is being suspended waits as long as the specification says.
    await now.attempt.terminate(record.spec.template.terminationGracePeriodSeconds * 1_000);
    now.end ??= await now.attempt.ended;
  }

  function afterEnd(now: Running, end: RawEnd, unwanted: boolean): void {
    now.stopProbes.abort();
    running = undefined;
    if (unwanted) {
      // `down` and `up` are no restart of the app's own making.
      const starts = draining ? pod.starts - 1 : pod.starts;
      say({ attemptEnded: true, starts, phase: 'Terminating', reason: '', message: '' });
      return;
    }
    const { code, startError } = end;
    endOfStart(
      { code, startError, outOfMemory: end.oomKills > 0, probeFailure: now.probeFailure },
      Date.now() - Date.parse(now.attempt.startedAt),
    );
  }

  /** An attempt has ended by itself or could not begin: what follows is up to the restart policy. */
  function endOfStart(end: ProcessEnd, ranForMs: number): void {
    const { resources, restartPolicy } = record.spec.template;
    const lastTermination = terminationOf(end, resources.memoryLimit);
    const well = lastTermination.reason === 'Completed';
    logger.info(
      { attempt: pod.attempt, reason: lastTermination.reason, code: end.code },
      lastTermination.message,
    );
    if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && well)) {
      const { message } = lastTermination;
      say({
        attemptEnded: true,
        lastTermination,
        phase: well ? 'Succeeded' : 'Failed',
        reason: lastTermination.reason,
        message,
      });
      return;
    }
    const failures = ranForMs >= timing.backOffReset ? 1 : pod.failures + 1;
    backOff(failures, {
      attemptEnded: true,
      lastTermination,
      reason: lastTermination.reason === 'OOMKilled' ? 'OOMKilled' : 'CrashLoopBackOff',
      message: lastTermination.message,
    });
  }

  function backOff(failures: number, change: Partial<PodRecord> & { reason: string; message: string }): void {
    const delay = backOffDelay(failures, timing);
    const message = `${change.message} It is started again after ${Math.round(delay / 100) / 10} s.`;
    say({ ...change, message, phase: 'BackOff', failures, notBefore: Date.now() + delay });
  }

  async function suspend(): Promise<void> {
    context.ports.release(name);
    await context.volumes.clearEphemeral(name);
    say({ phase: 'Suspended', reason: '', message: '', ports: {} });
    await asked.wait(stopped);
  }

  async function start(): Promise<void> {
    const { spec } = record;
    let ports: Record<string, number>;
    try {
      ports = await context.ports.assign(name, spec.template.ports, pod.ports);
    } catch (error) {
      if (!(error instanceof PortTaken)) throw error;
      return backOff(pod.failures + 1, { reason: 'PortTaken', message: error.message });
    }
    const number = pod.attempt + 1;
    const startedAt = new Date().toISOString();
    const facts = { attempt: number, attemptEnded: false, starts: pod.starts + 1, ports, startedAt };
    await saving;
    // Before anything is started: whatever crashes now, the next platform process knows where to look.
    await records.savePod(name, { ...pod, ...facts }, { durable: true });
    try {
      const attemptDirectory = await records.beginAttempt(name, number);
      for (const old of logs.keys()) if (old < number - 1) logs.delete(old);
      const image = context.images[spec.template.image];
      if (image === undefined) throw new Error(`The image ${spec.template.image} is not there any more.`);
      const attempt = await launch({
        record,
        secret: await records.secretOf(record),
        image,
        ports,
        workloadDirectory: records.directoryOf(name),
        attemptDirectory,
        cgroup: await context.cgroups?.create(
          `${name}.${number}`,
          spec.template.resources,
          context.processLimit,
        ),
        isolation: context.isolation,
        volumes: context.volumes,
        livenessPollMs: timing.livenessPoll,
        signal: stopped,
      });
      // With a startup probe it stays Starting until that has passed; without one it is more within this very turn.
      const phase = spec.template.startupProbe === undefined ? 'Running' : 'Starting';
      supervise(attempt, record.generation, { ...facts, reason: '', message: '', phase });
    } catch (error) {
      if (stopped.aborted) throw error;
      await context.cgroups?.open(`${name}.${number}`).remove();
      say(facts);
      const startError = `It could not be started: ${messageOf(error)}`;
      endOfStart({ code: undefined, startError, outOfMemory: false, probeFailure: undefined }, 0);
    }
  }

  function supervise(attempt: Attempt, generation: number, change: Partial<PodRecord>): void {
    const alreadyStarted = change.phase === undefined;
    const now: Running = {
      attempt,
      generation,
      stopProbes: new AbortController(),
      end: undefined,
      probeFailure: undefined,
    };
    running = now;
    const readyAtOnce = record.spec.template.readinessProbe === undefined && change.phase === 'Running';
    say(readyAtOnce ? { ...change, phase: 'Ready' } : change);
    attempt.ended.then(
      (end) => {
        now.end = end;
        asked.open();
      },
      () => {},
    );
    const current = (then: () => void) => () =>
      running === now && isLive(pod.phase) && now.end === undefined && then();
    const events = {
      started: current(() => pod.phase === 'Starting' && say({ phase: 'Running', reason: '', message: '' })),
      ready: current(() => say({ phase: 'Ready', reason: '', message: '' })),
      notReady: (message: string) =>
        current(() => say({ phase: 'Running', reason: 'ProbeFailing', message }))(),
      failed: (message: string) =>
        current(() => {
          now.probeFailure ??= message;
          asked.open();
        })(),
    };
    const signal = AbortSignal.any([now.stopProbes.signal, stopped]);
    void runProbes(record.spec.template, pod.ports, events, { signal, alreadyStarted });
    void keepLogSmall(pod.attempt, now);
  }

  async function keepLogSmall(number: number, now: Running): Promise<void> {
    const over = AbortSignal.any([now.stopProbes.signal, stopped]);
    while (!over.aborted) {
      await sleep(timing.logRotationPoll, over).catch(() => {});
      const log = await logOf(number);
      await log
        ?.rotate(context.logLimitBytes)
        .catch((error) => logger.warn(`Its log could not be rotated: ${messageOf(error)}`));
    }
  }

  function logOf(number: number): Promise<AttemptLog | undefined> {
    if (number < 1 || number < pod.attempt - 1 || number > pod.attempt) return Promise.resolve(undefined);
    let log = logs.get(number);
    if (log === undefined) {
      log = openAttemptLog(records.attemptDirectory(name, number));
      logs.set(number, log);
    }
    return log;
  }

  /** Finds what an earlier platform process had started; before the loop runs. */
  async function recover(): Promise<void> {
    if (pod.attempt === 0 || pod.attemptEnded) return;
    const found = await findAttempt({
      directory: records.attemptDirectory(name, pod.attempt),
      mode: context.isolation.isolated ? 'sandbox' : 'plain',
      cgroup: context.cgroups?.open(`${name}.${pod.attempt}`),
      marker: context.isolation.isolated ? undefined : plainMarker(records.directoryOf(name)),
      livenessPollMs: timing.livenessPoll,
      signal: stopped,
    });
    if (found.kind === 'never-started') {
      pod = { ...pod, attemptEnded: true, starts: pod.starts - 1 };
      return;
    }
    context.ports.keep(name, pod.ports);
    // Who was Ready stays so, without a gap; but the crash may have come before the phase was written.
    const first = record.spec.template.startupProbe === undefined ? 'Running' : 'Starting';
    const phase = isLive(pod.phase) ? pod.phase : first;
    pod = { ...pod, phase };
    supervise(found.attempt, pod.generation, phase === 'Starting' ? { phase } : {});
    logger.info({ pid: found.attempt.identity.pid, attempt: pod.attempt }, 'found a process again');
  }

  async function forget({ volumes }: Removal): Promise<void> {
    if (volumes === 'delete') await context.volumes.deleteClaims(name);
    gone = true;
    await saving;
    await records.forget(name);
    context.ports.release(name);
    context.gone(name);
    announce();
  }

  async function loop(): Promise<void> {
    while (!stopped.aborted && !gone) {
      try {
        await step();
      } catch (error) {
        if (stopped.aborted) break;
        gone = false;
        logger.error({ err: error }, 'a step of its supervision failed');
        say({ reason: 'RuntimeError', message: `It is tried again: ${messageOf(error)}` });
        await asked.wait(stopped, 5_000);
      }
    }
    running?.stopProbes.abort();
    await saving;
  }

  const until = async (done: () => boolean) => {
    while (!done() && !stopped.aborted) await news.next(stopped);
  };

  await recover();
  return {
    record: () => record,
    removal: () => removal,
    workload: () => shown(record, pod, running !== undefined),
    usage: async () => (running === undefined ? {} : running.attempt.usage()),
    update(next) {
      record = next;
      asked.open();
      announce();
    },
    async remove(next) {
      removal ??= next;
      asked.open();
      await until(() => gone);
    },
    async drain() {
      draining = true;
      asked.open();
      await until(() => gone || drained);
    },
    logOf,
    currentAttempt: () => ({ number: pod.attempt, ended: running === undefined }),
    news,
    run: loop,
  };
}

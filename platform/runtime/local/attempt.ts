import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '@haic/kit/deadline.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess } from '@haic/kit/process-identity.ts';
import type { Cgroup } from './cgroup.ts';
import { readJson, readText, writeAtomically } from './durable-file.ts';
import { descendants, findShim, killAll, usageOf } from './process-table.ts';

const shim = fileURLToPath(new URL('./shim.sh', import.meta.url));

/** One process of a workload, from its start to the last of what it started. */
export interface Attempt {
  readonly startedAt: string;
  readonly identity: ProcessIdentity;
  /** Resolves when the command has ended and nothing that it started is left; rejects only when the signal aborted. */
  readonly ended: Promise<RawEnd>;
  /** SIGTERM to the command, and after the grace period SIGKILL to everything. Resolves when it has ended. */
  terminate(graceMs: number): Promise<void>;
  usage(): Promise<{ memoryBytes?: number; cpuMilliseconds?: number }>;
}

export interface RawEnd {
  /** Undefined when nobody saw the end. */
  readonly code: number | undefined;
  /** Why the command could not be run at all. */
  readonly startError: string | undefined;
  readonly oomKills: number;
}

interface AttemptContext {
  readonly directory: string;
  readonly mode: 'sandbox' | 'plain';
  readonly cgroup: Cgroup | undefined;
  /** A line of the environment that only this workload's processes have, where there is no cgroup to find them by. */
  readonly marker: string | undefined;
  readonly livenessPollMs: number;
  /** The platform ends; the workload does not. */
  readonly signal: AbortSignal;
}

interface ProcessRecord {
  readonly identity: ProcessIdentity;
  readonly startedAt: string;
}

/** Starts the shim, which starts the command. What the command needs to know is in files of the attempt's directory already. */
export async function startAttempt(context: AttemptContext, command: readonly string[]): Promise<Attempt> {
  const log = await open(path.join(context.directory, 'log'), 'a', 0o600);
  try {
    const groups = context.cgroup?.procsFiles.join(' ') ?? '';
    const child = spawn('/bin/sh', [shim, context.directory, context.mode, groups, '--', ...command], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', log.fd, log.fd],
      // The platform's environment ends here.
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const startedAt = new Date().toISOString();
    // Gone already: its exit file says how. No process has start time zero, so that the identity fits no other.
    const identity = (await identify(child.pid ?? 0)) ?? { pid: child.pid ?? 0, startTime: '0', bootId: '' };
    await recordProcess(context.directory, { identity, startedAt });
    return follow(context, { identity, startedAt }, child);
  } finally {
    await log.close();
  }
}

const recordProcess = (directory: string, process: ProcessRecord) =>
  writeAtomically(path.join(directory, 'process.json'), JSON.stringify(process), { durable: false });

export type FoundAttempt =
  | { readonly kind: 'attempt'; readonly attempt: Attempt }
  /** The platform ended before it had started anything. */
  | { readonly kind: 'never-started' };

/** What became of an attempt that an earlier platform process had started. An attempt whose process is gone is found as ended. */
export async function findAttempt(context: AttemptContext): Promise<FoundAttempt> {
  const recorded = await readJson<ProcessRecord>(path.join(context.directory, 'process.json')).catch(
    () => undefined,
  );
  if (recorded !== undefined && (await isAlive(recorded.identity)))
    return { kind: 'attempt', attempt: follow(context, recorded) };
  const found = await findShim(context.directory);
  if (found !== undefined) {
    const process = { identity: found, startedAt: recorded?.startedAt ?? new Date().toISOString() };
    await recordProcess(context.directory, process);
    return { kind: 'attempt', attempt: follow(context, process) };
  }
  const hasRun =
    recorded !== undefined ||
    (await readText(path.join(context.directory, 'pid'))) !== undefined ||
    (await readText(path.join(context.directory, 'exit'))) !== undefined;
  if (!hasRun) return { kind: 'never-started' };
  const gone = recorded ?? {
    identity: { pid: 0, startTime: '0', bootId: '' },
    startedAt: new Date().toISOString(),
  };
  return { kind: 'attempt', attempt: follow(context, gone) };
}

function follow(
  context: AttemptContext,
  { identity, startedAt }: ProcessRecord,
  child?: ChildProcess,
): Attempt {
  const ended = untilEnded(context, identity, child);
  // Whoever stops the platform does not wait for it.
  ended.catch(() => {});
  const others = () =>
    context.cgroup === undefined ? descendants(identity.pid, context.marker) : context.cgroup.pids();
  return {
    startedAt,
    identity,
    ended,
    async terminate(graceMs) {
      await signalProcess(identity, 'SIGTERM');
      if (await endsWithin(ended, graceMs, context.signal)) return;
      await killEverything(context, identity);
      if (await endsWithin(ended, 10_000, context.signal)) return;
      await signalProcess(identity, 'SIGKILL');
      await ended;
    },
    async usage() {
      if (context.cgroup === undefined) return usageOf(await others());
      return context.cgroup.usage();
    },
  };
}

async function endsWithin(ended: Promise<unknown>, ms: number, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([
      ended.then(() => true),
      sleep(ms, AbortSignal.any([signal, over.signal])).then(() => false),
    ]);
  } finally {
    over.abort();
  }
}

async function untilEnded(
  context: AttemptContext,
  identity: ProcessIdentity,
  child?: ChildProcess,
): Promise<RawEnd> {
  const code = await untilExit(context, identity, child);
  await killEverything(context, undefined, identity.pid);
  const oomKills = (await context.cgroup?.oomKills()) ?? 0;
  await context.cgroup?.remove();
  return { code, startError: oomKills > 0 ? undefined : await whyNotStarted(context, code), oomKills };
}

/** The exit file comes last and is the truth; that the shim is gone without one means that nobody saw the end. */
async function untilExit(context: AttemptContext, identity: ProcessIdentity, child?: ChildProcess) {
  const { signal } = context;
  let wake = () => {};
  const events = watchQuietly(context.directory, () => wake());
  child?.once('exit', () => wake());
  try {
    for (;;) {
      const happened = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const lives = await isAlive(identity);
      const text = await readText(path.join(context.directory, 'exit'));
      if (text !== undefined) return Number.parseInt(text, 10);
      if (!lives) return exitCodeOf(child);
      const over = new AbortController();
      await Promise.race([
        happened,
        sleep(context.livenessPollMs, AbortSignal.any([signal, over.signal])).catch(() => {}),
      ]);
      over.abort();
      signal.throwIfAborted();
    }
  } finally {
    events?.close();
  }
}

/** Where even the exit file could not be written, a full disk for instance, its parent still knows. */
async function exitCodeOf(child: ChildProcess | undefined): Promise<number | undefined> {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child?.exitCode ?? undefined;
}

function watchQuietly(directory: string, onChange: () => void) {
  try {
    const watcher = watch(directory, { persistent: false }, (_, file) => {
      if (file === 'exit') onChange();
    });
    watcher.on('error', () => {});
    return watcher;
  } catch {
    // Out of inotify watches: the poll sees it, only later.
    return undefined;
  }
}

/** With `shim`, all but the shim, which shall still record the exit. Without, what an ended command left behind. */
async function killEverything(
  context: AttemptContext,
  shim: ProcessIdentity | undefined,
  root = shim?.pid ?? 0,
) {
  if (context.cgroup !== undefined) return context.cgroup.kill(shim?.pid);
  for (let round = 0; round < 100; round += 1) {
    // After its end the pid of the shim may be anybody's; what it started is then known by the marker alone.
    const rest = await descendants(shim === undefined ? -1 : root, context.marker);
    if (rest.length === 0) return;
    killAll(rest);
    await sleep(round < 20 ? 5 : 50);
  }
}

async function whyNotStarted(context: AttemptContext, code: number | undefined): Promise<string | undefined> {
  if (code === undefined || code === 0 || code > 128) return undefined;
  const at = (file: string) => path.join(context.directory, file);
  const failed =
    (await readText(at('not-started'))) !== undefined ||
    (context.mode === 'sandbox' && !((await readText(at('sandbox'))) ?? '').includes('"exit-code"'));
  if (!failed) return undefined;
  const log = await open(at('log'), 'r');
  try {
    const { size } = await log.stat();
    const { buffer, bytesRead } = await log.read(Buffer.alloc(2_000), 0, 2_000, Math.max(0, size - 2_000));
    const last =
      buffer
        .toString('utf8', 0, bytesRead)
        .trim()
        .split('\n')
        .at(-1)
        ?.replace(/^.*shim\.sh: /, '') ?? '';
    return `The command could not be started: ${last.slice(0, 300) || `exit code ${code}`}`;
  } finally {
    await log.close();
  }
}

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { sleep } from '@haic/kit/deadline.ts';
import type { LauncherConfig } from '@haic/services/app-store/scheduler/launcher-config.ts';
import type { Waved } from '@haic/services/environments/client.ts';
import { type Child, type ProcessEnd, startChild } from './child-process.ts';
import {
  type AccessKey,
  type AppFacts,
  appEnvironment,
  type Environment,
  type WaveFacts,
  wavedEnvironment,
} from './environment.ts';
import { LaunchFailure } from './failure.ts';
import type { InstanceLog } from './instance-log.ts';
import { describeEnd, likelyCause } from './likely-cause.ts';
import type { LauncherPaths } from './paths.ts';
import { accepts, freePort, isFree, loopback } from './ports.ts';
import { relayToLoopback } from './relay.ts';

export interface ProcessContext {
  readonly config: LauncherConfig;
  readonly paths: LauncherPaths;
  readonly site: Environment;
  readonly log: InstanceLog;
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
  /** Address that visitors reach waved or the app at, by the router. */
  readonly listen: string;
  /** Told of every child at once, so that whatever happens next, it is stopped. */
  readonly own: (kind: 'waved' | 'app', child: Child) => void;
}

export interface RunningWaved {
  readonly child: Child;
  readonly facts: WaveFacts;
}

const pollMs = 100;
const reminderMs = 15_000;
const portAttempts = 3;

function newAccessKey(log: InstanceLog): AccessKey {
  const secret = randomBytes(24).toString('base64url');
  log.mask(secret);
  return { id: randomBytes(9).toString('base64url'), secret };
}

/** waved comes first: the app registers itself once, at its start (contract wave-app §3). */
export async function startWaved(context: ProcessContext, waved: Waved, port: number): Promise<RunningWaved> {
  const { config, paths, site, log, listen } = context;
  await requireFree(port);
  await mkdir(path.join(paths.waved, 'data'), { recursive: true });
  const facts = { wavedPort: port, listen, webDirectory: waved.www, access: newAccessKey(log) };
  log.line('launcher', `Starting waved ${waved.version} on ${listen}:${port}${config.baseUrl}`);
  const child = startChild({
    command: waved.binary,
    args: [],
    cwd: paths.waved,
    env: wavedEnvironment(config, paths, site, facts),
    onLine: (line) => log.line('waved', line),
  });
  context.own('waved', child);
  const end = await listening(context, child, port, 'waved');
  if (end !== undefined) throw processFailure(context, 'waved', end);
  return { child, facts };
}

/** Somebody else's answer on this port must not be taken for ours: visitors would be sent there. */
async function requireFree(port: number): Promise<void> {
  if (!(await isFree(port)))
    throw new LaunchFailure(`Port ${port} of this instance is taken by another process on the machine.`);
}

/** In `wave` mode the app's own port is free to choose; in `python` mode it is the one that traffic is sent to. */
export async function startApp(
  context: ProcessContext,
  options: Pick<AppFacts, 'token' | 'executables' | 'libraries'> & {
    waved: RunningWaved | undefined;
    portApp: number;
  },
): Promise<Child> {
  const { waved, portApp, ...rest } = options;
  const appAccess = newAccessKey(context.log);
  for (let attempt = 1; ; attempt += 1) {
    const port = waved === undefined ? portApp : await freePort();
    if (waved === undefined) await requireFree(port);
    const child = spawnApp(context, { ...rest, port, appAccess, wave: waved?.facts });
    const end = await listening(context, child, port, 'The app');
    if (end === undefined) {
      if (waved === undefined && context.listen !== loopback) await relayToLoopback(port);
      return child;
    }
    const taken = context.log.last(20, 'app').some((line) => /address already in use/i.test(line));
    if (!taken || waved === undefined || attempt === portAttempts) throw processFailure(context, 'app', end);
    context.log.line('launcher', `Port ${port} was taken by another process; trying another one.`);
  }
}

function spawnApp(context: ProcessContext, facts: AppFacts): Child {
  const { config, paths, site, log } = context;
  const args =
    config.mode === 'wave'
      ? ['-m', 'uvicorn', `${config.module}:main`, '--host', loopback, '--port', String(facts.port)]
      : ['-m', config.module];
  log.line('launcher', `Starting python ${args.join(' ')}`);
  const child = startChild({
    command: path.join(paths.venv, 'bin/python'),
    args,
    cwd: paths.app,
    env: appEnvironment(config, paths, site, facts),
    onLine: (line) => log.line('app', line),
  });
  context.own('app', child);
  return child;
}

/** Waits until the port accepts connections; returns how the process ended if it ended before. */
async function listening(
  context: ProcessContext,
  child: Child,
  port: number,
  who: string,
): Promise<ProcessEnd | undefined> {
  let end: ProcessEnd | undefined;
  void child.ended.then((value) => {
    end = value;
  });
  const startedAt = Date.now();
  let remindAt = startedAt + reminderMs;
  for (;;) {
    context.signal.throwIfAborted();
    // After the answer: another process may hold the port that ours could not get.
    const answered = end === undefined && (await accepts(port));
    if (end !== undefined) return end;
    if (answered) return undefined;
    if (Date.now() >= remindAt) {
      const message = `${who} has not opened its port yet (${Math.round((Date.now() - startedAt) / 1000)} s).`;
      context.log.line('launcher', message);
      context.say(message);
      remindAt += reminderMs;
    }
    await Promise.race([sleep(pollMs, context.signal), child.ended]);
  }
}

/** The end of waved or of the app, told to a person: how, what it said last, and what usually is behind it. */
export function processFailure(
  context: ProcessContext,
  kind: 'waved' | 'app',
  end: ProcessEnd,
): LaunchFailure {
  const who = kind === 'app' ? 'The app' : 'The Wave server (waved)';
  const lines = context.log.last(kind === 'app' ? 80 : 20, kind);
  if (end.startError !== undefined)
    return new LaunchFailure(`${who} could not be started: ${end.startError}`, lines);
  const cause = likelyCause(lines, context.config);
  const message = `${who} ${describeEnd(end)}.${cause === undefined ? '' : ` ${cause}`}`;
  return new LaunchFailure(message, essentialLines(lines));
}

const shownLines = 20;
/** Of a traceback through uvicorn and importlib hardly a line is the app's own. */
const frameOfTools = /^ +File "(<frozen |.*\/(site-packages|dist-packages|importlib|asyncio|runpy\.py))/;

/** The last lines; of a traceback that is longer, its first line and the frames of the app. */
function essentialLines(lines: readonly string[]): string[] {
  const start = lines.findLastIndex((line) => line.startsWith('Traceback'));
  if (start === -1 || lines.length - start <= shownLines) return lines.slice(-shownLines);
  const kept: string[] = [];
  let skipping = false;
  for (const line of lines.slice(start + 1)) {
    if (/^ +File "/.test(line)) skipping = frameOfTools.test(line);
    else if (!line.startsWith('    ')) skipping = false;
    if (!skipping) kept.push(line);
  }
  return [lines[start] ?? '', '  …', ...kept.slice(2 - shownLines)];
}

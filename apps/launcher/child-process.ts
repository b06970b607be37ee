import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { messageOf } from '@haic/kit/errors.ts';

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The command could not be run at all. */
  readonly startError?: string;
}

export interface Child {
  readonly pid: number | undefined;
  /** Settles once, after the process ended and its output was read. */
  readonly ended: Promise<ProcessEnd>;
  /** SIGTERM to the process, SIGKILL to its whole group after `graceMs`; resolves when it is gone. Safe to repeat. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL to the whole group, for an end that cannot wait. */
  killGroup(): void;
}

/**
 * Starts a command in a process group of its own, so that whatever it starts ends with it, with exactly the environment given.
 * Output goes line by line to `onLine`; writing is as slow as the reader, so memory stays flat.
 */
export function startChild(options: {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  onLine: (line: string) => void;
}): Child {
  const child = spawn(options.command, [...options.args], {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  readLines(child.stdout, options.onLine);
  readLines(child.stderr, options.onLine);
  const ended = endOf(child);
  return {
    pid: child.pid,
    ended,
    stop: async (graceMs) => {
      const kill = (signal: NodeJS.Signals) => killGroup(child.pid, signal);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      else kill('SIGKILL');
      const timer = setTimeout(() => kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
    killGroup: () => killGroup(child.pid, 'SIGKILL'),
  };
}

const lastOutputMs = 1_000;

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, startError: messageOf(error) }));
    child.once('exit', (code, signal) => {
      // What the process left running in its group would keep ports and the output open.
      killGroup(child.pid, 'SIGKILL');
      // What left the group too may hold the output open for ever: the last lines get a moment, no more.
      const timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ code, signal });
      }, lastOutputMs);
      child.once('close', () => clearTimeout(timer));
    });
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nothing of the group is left.
  }
}

/** A line longer than this is cut into several: one that never ends must not fill the memory. */
const maximumLine = 16 * 1024;

export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) for (const piece of cut(line)) onLine(piece);
    while (rest.length > maximumLine) {
      onLine(rest.slice(0, maximumLine));
      rest = rest.slice(maximumLine);
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
    rest = '';
  });
  // A broken pipe ends with the process; `close` reports it.
  stream.on('error', () => {});
}

function* cut(line: string): Generator<string> {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (text.length <= maximumLine) return yield text;
  for (let at = 0; at < text.length; at += maximumLine) yield text.slice(at, at + maximumLine);
}

/** Runs a tool to its end; stops it when the signal aborts. */
export async function runTool(
  options: Parameters<typeof startChild>[0] & { signal: AbortSignal },
): Promise<ProcessEnd> {
  options.signal.throwIfAborted();
  const child = startChild(options);
  const onAbort = () => void child.stop(2_000);
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await child.ended;
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    options.signal.throwIfAborted();
  }
}

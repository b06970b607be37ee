import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { deadline } from '@haic/kit/deadline.ts';
import { unavailable } from '@haic/kit/errors.ts';

export interface ProcessResult {
  readonly code: number;
  /** stdout and stderr by line, the newest `keptLines`. */
  readonly lines: readonly string[];
}

const keptLines = 400;
const setpriv = '/usr/bin/setpriv';

/**
 * Runs a program to its end. It is killed with all its children when the signal aborts or the deadline passes, and by the kernel when this
 * process dies. Exit codes are the caller's matter; only a program that cannot be run, was killed or was aborted throws.
 */
export async function runProcess(options: {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  deadlineMs: number;
  signal: AbortSignal;
  onLine?: (line: string) => void;
}): Promise<ProcessResult> {
  options.signal.throwIfAborted();
  const dieWithUs = existsSync(setpriv);
  const child = spawn(
    dieWithUs ? setpriv : options.command,
    dieWithUs ? ['--pdeathsig', 'KILL', '--', options.command, ...options.args] : options.args,
    { cwd: options.cwd, env: options.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const limit = deadline(options.deadlineMs, options.signal);
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  };
  limit.addEventListener('abort', kill, { once: true });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      options.onLine?.(line);
    });
  }
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    options.signal.throwIfAborted();
    if (limit.aborted)
      throw unavailable(
        'too_slow',
        `It took longer than ${Math.round(options.deadlineMs / 60_000)} minutes and was stopped.`,
      );
    if (code === null)
      throw unavailable('killed', 'The tool was killed, perhaps because memory ran out. Try again.');
    return { code, lines };
  } finally {
    limit.removeEventListener('abort', kill);
  }
}

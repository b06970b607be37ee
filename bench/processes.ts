import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { identify, signalProcess } from '@haic/kit/process-identity.ts';

const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK']).stdout?.toString().trim()) || 100;

interface Stat {
  readonly parent: number;
  /** Seconds of the process itself, and of its children that have ended and were waited for. */
  readonly own: number;
  readonly ended: number;
}

async function statOf(pid: number): Promise<Stat | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold anything; what follows it are plain fields, from the third on.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = (from: number) => (Number(fields[from]) + Number(fields[from + 1])) / ticksPerSecond;
    return { parent: Number(fields[1]), own: ticks(11), ended: ticks(13) };
  } catch {
    return undefined;
  }
}

/** The process and all that descend from it and live. */
export async function treeOf(root: number): Promise<readonly number[]> {
  const children = new Map<number, number[]>();
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const stat = await statOf(pid);
    if (stat !== undefined) children.set(stat.parent, [...(children.get(stat.parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** CPU seconds of the process and its descendants, those that have ended included. */
export async function cpuSeconds(root: number): Promise<number> {
  let sum = 0;
  for (const pid of await treeOf(root)) {
    const stat = await statOf(pid);
    if (stat !== undefined) sum += stat.own + stat.ended;
  }
  return sum;
}

/** MB: what the process alone needs (shared pages counted once among their sharers), and what it has mapped in. */
export async function memoryOf(pid: number): Promise<{ pss: number; rss: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const read = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024;
  return { pss: read('Pss'), rss: read('Rss') };
}

export interface Started {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a server as a process of its own; what it says is shown only when it fails to start. */
export async function startServer(options: {
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  url: string;
  /** Whether it is up when it answers with this status; any but an error of the server, if nothing is said. */
  isUp?: (status: number) => boolean;
  seconds?: number;
}): Promise<Started> {
  const child = spawn(options.command, [...options.args], {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const started = { pid: child.pid ?? 0, stop: () => endOf(child) };
  try {
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    await Promise.race([untilAnswers(child, options), failed]);
  } catch (error) {
    await started.stop();
    throw new Error(`${options.command} did not start: ${String(error)}\n${said}`);
  }
  return started;
}

async function untilAnswers(
  child: ChildProcess,
  { url, isUp = (status) => status < 500, seconds = 30 }: Omit<Parameters<typeof startServer>[0], 'args'>,
): Promise<void> {
  const last = performance.now() + seconds * 1000;
  while (performance.now() < last) {
    if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`);
    const answered = await fetch(url, { redirect: 'manual' }).then(
      async (response) => {
        await response.body?.cancel();
        return isUp(response.status);
      },
      () => false,
    );
    if (answered) return;
    await pause(20);
  }
  throw new Error(`no answer at ${url} in ${seconds} s`);
}

/** Ends the server, then whatever it leaves behind: JupyterHub stopped early leaves its proxy, in a session of its own. */
async function endOf(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const tree = await Promise.all((await treeOf(child.pid)).map(identify));
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(force);
  }
  for (const identity of tree) if (identity !== undefined) await signalProcess(identity, 'SIGKILL');
  child.stdout?.destroy();
  child.stderr?.destroy();
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

/** Runs a program to its end; rejects with what it said when it fails. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ended with ${code}: ${(stderr + stdout).slice(-1500)}`));
    });
  });
}

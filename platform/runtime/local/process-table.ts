import { readdir, readFile, stat } from 'node:fs/promises';
import { identify, type ProcessIdentity } from '@haic/kit/process-identity.ts';

interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

async function pids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function factsOf(pid: number): Promise<ProcessFacts | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[0] === 'Z') return undefined;
  return { pid, parent: Number(fields[1]), session: Number(fields[3]) };
}

/**
 * The shim of an attempt, by its command line: for the moment between its start and the record of its identity. Only one of our own
 * uid counts, and only the leader of its session: a shim's fork shows the same command line until it runs the command.
 */
export async function findShim(attemptDirectory: string): Promise<ProcessIdentity | undefined> {
  for (const pid of await pids()) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const [, script, directory] = commandLine.split('\0');
    if (directory !== attemptDirectory || script?.endsWith('/shim.sh') !== true) continue;
    const owner = await stat(`/proc/${pid}`).catch(() => undefined);
    if (owner?.uid !== process.getuid?.()) continue;
    if ((await factsOf(pid))?.session === pid) return identify(pid);
  }
  return undefined;
}

/**
 * Everything that was started under a process, also what left its session, and (by `marker`, a line of the environment) what was
 * adopted by init since. `root` itself is not among them.
 */
export async function descendants(root: number, marker: string | undefined): Promise<number[]> {
  const all = (await Promise.all((await pids()).map(factsOf))).filter((facts) => facts !== undefined);
  const found = new Set<number>();
  for (const { pid, session } of all) {
    if (pid === root || pid === process.pid) continue;
    if (session === root || (marker !== undefined && (await hasMarker(pid, marker)))) found.add(pid);
  }
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of all) {
      if (pid === root || found.has(pid) || !(parent === root || found.has(parent))) continue;
      found.add(pid);
      grown = true;
    }
  }
  return [...found];
}

async function hasMarker(pid: number, marker: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environment.split('\0').includes(marker);
}

/** Bytes of memory and milliseconds of processor time, summed; undefined when none of them lives. */
export async function usageOf(processes: readonly number[]) {
  let memoryBytes = 0;
  let cpuMilliseconds = 0;
  for (const pid of processes) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    memoryBytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // utime and stime are in ticks of 1/100 s on every Linux that Haic runs on.
    cpuMilliseconds += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
  }
  return memoryBytes === 0 ? {} : { memoryBytes, cpuMilliseconds };
}

export function killAll(processes: readonly number[]): void {
  for (const pid of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

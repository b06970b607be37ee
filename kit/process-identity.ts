import { readFile } from 'node:fs/promises';

/**
 * A process, told apart from any later one that gets the same pid: by when it started (clock ticks since boot, field 22 of
 * /proc/<pid>/stat) and in which boot.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime = await startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime, bootId: await bootId() };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return identity.bootId === (await bootId()) && identity.startTime === (await startTimeOf(identity.pid));
}

/** Sends the signal only when the pid still is the process that was meant. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

let boot: Promise<string> | undefined;
const bootId = (): Promise<string> => {
  boot ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim());
  return boot;
};

/** Undefined when there is no such process, or only its zombie: a zombie runs nothing. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field, the command, may hold spaces and parentheses: fields are counted after its last ')'.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

import { constants } from 'node:os';
import type { Termination } from './port.ts';

/** What is known of an ended process. */
export interface ProcessEnd {
  /** As a shell tells it: above 128 it was a signal. Undefined when nobody saw the end. */
  readonly code: number | undefined;
  readonly startError: string | undefined;
  /** The kernel ended something of it for want of memory. */
  readonly outOfMemory: boolean;
  /** Why the runtime ended it, if it did so for a failed probe. */
  readonly probeFailure: string | undefined;
}

export function terminationOf(
  end: ProcessEnd,
  memoryLimit: number | undefined,
  at = new Date(),
): Termination {
  const signal = end.code !== undefined && end.code > 128 ? signalName(end.code - 128) : undefined;
  const exitCode = end.code;
  const told = (reason: Termination['reason'], message: string): Termination => ({
    exitCode,
    signal,
    reason,
    message,
    finishedAt: at.toISOString(),
  });
  if (end.probeFailure !== undefined) return told('ProbeFailed', end.probeFailure);
  if (end.startError !== undefined) return told('StartError', end.startError);
  if (end.code === undefined) {
    return told(
      'Lost',
      'The process is gone and nobody saw how it ended: the machine restarted, or its supervisor was killed.',
    );
  }
  if (end.outOfMemory && end.code !== 0) {
    const limit =
      memoryLimit === undefined ? 'the memory of this machine' : `its limit of ${inBytes(memoryLimit)}`;
    return told('OOMKilled', `It used more memory than ${limit} and was ended by the kernel.`);
  }
  if (end.code === 0) return told('Completed', 'It ended by itself.');
  return told(
    'Error',
    signal === undefined ? `It ended with exit code ${end.code}.` : `It was ended by ${signal}.`,
  );
}

function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
}

export function inBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}

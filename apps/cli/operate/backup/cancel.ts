import process from 'node:process';
import { CommandError } from '../../terminal.ts';

/** Ctrl-C and its like abort the signal, so that what is half done can be taken back. */
export async function cancellable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const cancelled = new AbortController();
  const cancel = () => cancelled.abort(new CommandError('Cancelled. Nothing was changed.', 130));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, cancel);
  try {
    return await work(cancelled.signal);
  } catch (error) {
    throw cancelled.signal.aborted ? cancelled.signal.reason : error;
  } finally {
    for (const name of signals) process.off(name, cancel);
  }
}

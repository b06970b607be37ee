import { notFound } from '@haic/kit/errors.ts';
import type { LogOptions } from '../port.ts';
import { createFileWait, linesFrom, startOfTail } from './log-lines.ts';
import type { Supervisor } from './supervisor.ts';

/** The lines of a workload's current process, and with `follow` those of all that come after it. */
export async function* readLogs(
  find: () => Supervisor | undefined,
  name: string,
  options: LogOptions,
): AsyncGenerator<string> {
  const supervisor = find();
  if (supervisor === undefined) throw notFound(`The workload ${name}`);
  const { signal } = options;
  const isThere = () => find() === supervisor && !signal.aborted;
  const follow = options.follow === true && options.previous !== true;
  let number = supervisor.currentAttempt().number - (options.previous === true ? 1 : 0);
  for (let first = true; isThere(); first = false) {
    const log = await supervisor.logOf(number);
    if (log !== undefined) {
      const start = first && options.tailLines !== undefined ? await startOfTail(log, options.tailLines) : 0;
      yield* attemptLines(supervisor, number, log, start, { follow, signal, isThere });
    }
    if (!follow) return;
    // Attempts that came and went meanwhile are gone but for the last two.
    while (isThere() && supervisor.currentAttempt().number <= number) await supervisor.news.next(signal);
    number = Math.max(number + 1, supervisor.currentAttempt().number - 1);
  }
}

async function* attemptLines(
  supervisor: Supervisor,
  number: number,
  log: NonNullable<Awaited<ReturnType<Supervisor['logOf']>>>,
  start: number,
  { follow, signal, isThere }: { follow: boolean; signal: AbortSignal; isThere: () => boolean },
): AsyncGenerator<string> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const wait = createFileWait(log.file, either);
  const runs = () => {
    const current = supervisor.currentAttempt();
    return current.number === number && !current.ended;
  };
  /** Once more after it has ended: its last words may have come after the last look. */
  let lastLook = false;
  const more = async () => {
    if (!follow || lastLook || !isThere()) return false;
    if (runs()) await wait.wait();
    lastLook = !runs();
    return isThere();
  };
  void (async () => {
    while (!either.aborted) {
      await supervisor.news.next(either);
      wait.notify();
    }
  })();
  try {
    for await (const line of linesFrom(log, start, more)) {
      if (signal.aborted) return;
      yield line;
    }
  } finally {
    over.abort();
    wait.close();
  }
}

import type { Runtime } from '@haic/platform/runtime/port.ts';
import { workloadNameOf } from './model.ts';

export interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

/** Lines of a process before numbers of the next one begin: a number names one line of one process. */
const linesPerProcess = 1_000_000_000;

/**
 * The log with a number for each line: its place in the log of its process, plus a billion for each restart, so that a reader who
 * comes back after a crash is not told to skip lines of a process they never saw. With `after` the lines behind that number follow,
 * else the last `tail` ones, else all that is kept.
 */
export async function* numberedLines(
  runtime: Runtime,
  instance: { readonly id: string; readonly restartCount: number },
  options: {
    readonly previous: boolean;
    readonly follow: boolean;
    readonly tail?: number;
    readonly after?: number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<NumberedLine> {
  const { previous, follow, signal } = options;
  const name = workloadNameOf(instance.id);
  const generation = Math.max(0, instance.restartCount - (previous ? 1 : 0));
  const base = generation * linesPerProcess;
  const skip = await linesToSkip(base, options, () => count(runtime.logs(name, { previous, signal })));
  let line = 0;
  for await (const text of runtime.logs(name, { previous, follow, signal })) {
    line += 1;
    if (line > skip) yield { number: base + line, text };
  }
}

async function linesToSkip(
  base: number,
  { after, tail }: { readonly after?: number; readonly tail?: number },
  total: () => Promise<number>,
): Promise<number> {
  if (after !== undefined) {
    const seen = after - base;
    // A number of another process, or of a log that was cut since: better a line twice than a line lost.
    return seen > 0 && seen < linesPerProcess && seen <= (await total()) ? seen : 0;
  }
  return tail === undefined ? 0 : Math.max(0, (await total()) - tail);
}

async function count(lines: AsyncIterable<string>): Promise<number> {
  let total = 0;
  for await (const _ of lines) total += 1;
  return total;
}

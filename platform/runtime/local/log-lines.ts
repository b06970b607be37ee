import { watch } from 'node:fs';
import { sleep } from '@haic/kit/deadline.ts';
import type { AttemptLog } from './attempt-log.ts';

/** A longer line is cut: one line of a hostile log must not fill the memory of whoever reads it. */
export const longestLine = 64 * 1024;
const chunk = 64 * 1024;
const newline = 0x0a;

/** Where the last `count` lines begin, found from the end without reading the rest. */
export async function startOfTail(log: AttemptLog, count: number): Promise<number> {
  const { start, end } = await log.bounds();
  if (count <= 0) return end;
  // A newline at the very end closes the last line and begins none.
  let missing = count + 1;
  for (let at = end; at > start; ) {
    const from = Math.max(start, at - chunk);
    const { offset, bytes } = await log.read(from, at - from);
    if (offset !== from) return offset;
    if (at === end && bytes.at(-1) !== newline) missing -= 1;
    for (let index = bytes.length - 1; index >= 0; index -= 1) {
      if (bytes[index] !== newline) continue;
      missing -= 1;
      if (missing === 0) return from + index + 1;
    }
    at = from;
  }
  return start;
}

/**
 * Lines from an offset on. At the end of what there is, `more` says whether to go on; when it says no, an unfinished line counts.
 * Bytes that are not UTF-8 come as U+FFFD.
 */
export async function* linesFrom(
  log: AttemptLog,
  start: number,
  more: () => Promise<boolean>,
): AsyncGenerator<string> {
  const line = createLine();
  let offset = start;
  for (;;) {
    const read = await log.read(offset, chunk);
    // What was between was rotated away: the line that began there has no end any more.
    if (read.offset !== offset) line.cut();
    offset = read.offset + read.bytes.length;
    if (read.bytes.length === 0) {
      if (await more()) continue;
      if (!line.empty()) yield line.take();
      return;
    }
    let from = 0;
    for (let at = read.bytes.indexOf(newline); at !== -1; at = read.bytes.indexOf(newline, from)) {
      line.add(read.bytes.subarray(from, at));
      yield line.take();
      from = at + 1;
    }
    line.add(read.bytes.subarray(from));
  }
}

function createLine() {
  let parts: Buffer[] = [];
  let length = 0;
  let left = 0;
  return {
    add(bytes: Buffer) {
      const kept = bytes.subarray(0, Math.max(0, longestLine - length));
      if (kept.length > 0) parts.push(kept);
      length += kept.length;
      left += bytes.length - kept.length;
    },
    cut() {
      if (length > 0) left += 1;
    },
    empty: () => length === 0,
    take(): string {
      const text = Buffer.concat(parts).toString('utf8');
      const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
      const line = left === 0 ? whole : `${whole} … [cut]`;
      parts = [];
      length = 0;
      left = 0;
      return line;
    },
  };
}

/** Waits until a file changes; at the latest a second, since not every file system tells. */
export function createFileWait(file: string, signal: AbortSignal) {
  let dirty = false;
  let wake = () => {};
  const notify = () => {
    dirty = true;
    wake();
  };
  const watcher = (() => {
    try {
      const started = watch(file, { persistent: false }, notify);
      started.on('error', () => {});
      return started;
    } catch {
      return undefined;
    }
  })();
  return {
    notify,
    async wait(): Promise<void> {
      if (!dirty) {
        const ended = new AbortController();
        await Promise.race([
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
          sleep(1_000, AbortSignal.any([signal, ended.signal])).catch(() => {}),
        ]);
        ended.abort();
      }
      dirty = false;
    },
    close: () => watcher?.close(),
  };
}

import { useEffect, useRef, useState } from 'react';
import { followEvents } from '../api/event-stream.ts';
import { queryString } from '../api/http.ts';
import { appendLines, keptLines, type LogChunk, type LogLine, plainLine } from './log-lines.ts';

export type LogState = 'loading' | 'following' | 'waiting' | 'ended';

const flushMilliseconds = 80;

/**
 * The log of an instance's current or previous process, line by line as it is written. Starts anew when `process` changes (another
 * start has another log), and goes on where it was after a lost connection.
 */
export function useLog(id: string, options: { previous: boolean; process: number; alive: boolean }) {
  const { previous, alive } = options;
  const process = `${options.process}.${useRevivals(alive)}`;
  const stillAlive = useRef(alive);
  stillAlive.current = alive;
  const [chunks, setChunks] = useState<readonly LogChunk[]>([]);
  const [state, setState] = useState<LogState>('loading');
  const [error, setError] = useState<unknown>();

  // biome-ignore lint/correctness/useExhaustiveDependencies: `process` stands for a log of its own
  useEffect(() => {
    const abort = new AbortController();
    let pending: LogLine[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = (): void => {
      timer = undefined;
      const lines = pending;
      pending = [];
      if (lines.length > 0) setChunks((before) => appendLines(before, lines));
    };
    setChunks([]);
    setError(undefined);
    setState('loading');
    const query = queryString({ follow: !previous, previous: previous || undefined, tail: keptLines });
    followEvents(`/api/v1/instances/${encodeURIComponent(id)}/logs${query}`, {
      signal: abort.signal,
      // In order or not, the stream of a living process ends only when the platform restarts.
      again: () => !previous && stillAlive.current,
      onState: (next) => setState(next === 'open' ? 'following' : 'waiting'),
      onEvent: (event) => {
        const number = Number(event.id);
        if (!Number.isInteger(number) || event.event !== 'message') return;
        pending.push({ number, text: plainLine(event.data) });
        // One redraw for many lines: an app may write thousands at once.
        timer ??= setTimeout(flush, flushMilliseconds);
      },
    }).then(
      () => {
        flush();
        if (!abort.signal.aborted) setState('ended');
      },
      (problem: unknown) => {
        flush();
        setError(problem);
        setState('ended');
      },
    );
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [id, previous, process]);

  return { chunks, state, error };
}

/** How often it came back to life: a new process may write before the count of restarts says so. */
function useRevivals(alive: boolean): number {
  const [count, setCount] = useState(0);
  const wasAlive = useRef(alive);
  useEffect(() => {
    if (alive && !wasAlive.current) setCount((before) => before + 1);
    wasAlive.current = alive;
  }, [alive]);
  return count;
}

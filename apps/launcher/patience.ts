import { sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';

/** How long, and how often, something that another part of the platform does is asked for again. */
export interface Patience {
  readonly deadlineMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/**
 * Repeats `attempt` with growing pauses until it succeeds, `isFinal` says that asking again is useless, or the deadline passes:
 * then the last error is thrown. Aborting throws at once.
 */
export async function persist<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  options: {
    patience: Patience;
    signal: AbortSignal;
    isFinal?: (error: unknown) => boolean;
    onRetry: (message: string) => void;
  },
): Promise<T> {
  const { patience, signal } = options;
  const giveUpAt = Date.now() + patience.deadlineMs;
  let pause = patience.firstPauseMs;
  for (;;) {
    signal.throwIfAborted();
    const remaining = giveUpAt - Date.now();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, remaining))]);
    try {
      return await attempt(limit);
    } catch (error) {
      signal.throwIfAborted();
      if (options.isFinal?.(error) || Date.now() + pause >= giveUpAt) throw error;
      options.onRetry(messageOf(error));
    }
    await sleep(pause, signal);
    pause = Math.min(pause * 2, patience.longestPauseMs);
  }
}

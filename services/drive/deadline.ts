import type { ServerResponse } from 'node:http';
import { ClientGone } from './client-gone.ts';

/** How slow a client may be: one that is slower would hold what it uses for ever. */
export interface Patience {
  /** What is not about bytes is done by then. */
  readonly baseMs: number;
  readonly slowestBytesPerSecond: number;
  /** From a connection, or the answer before, to the end of the request's head. */
  readonly headMs: number;
  /** Nothing moved for so long in either direction. */
  readonly idleMs: number;
}

export const usualPatience: Patience = {
  baseMs: 120_000,
  slowestBytesPerSecond: 16 * 1024,
  headMs: 30_000,
  idleMs: 120_000,
};

/** Of Node's timers. */
const longestTimeoutMs = 2 ** 31 - 1;

/** Ends what a request began when its client goes away or its time is over. */
export function createDeadline(
  response: ServerResponse,
  { baseMs, slowestBytesPerSecond }: Patience,
): {
  readonly signal: AbortSignal;
  allow(bytes: number): void;
  end(): void;
} {
  const controller = new AbortController();
  let endsAt = performance.now() + baseMs;
  // One timer goes off at first, and looks whether there was more time: to set another one for each request costs more than all of this.
  const expire = () => {
    const left = endsAt - performance.now();
    if (left > 0) timer = setTimeout(expire, Math.min(left, longestTimeoutMs));
    else
      controller.abort(
        new DOMException('The client was too slow, or the work took too long.', 'TimeoutError'),
      );
  };
  let timer = setTimeout(expire, baseMs);
  // Also closed when everything was sent, which is no end before its time.
  const onClose = () => {
    if (!response.writableFinished) controller.abort(new ClientGone());
  };
  response.once('close', onClose);
  return {
    signal: controller.signal,
    allow: (bytes) => {
      endsAt = performance.now() + baseMs + (bytes / slowestBytesPerSecond) * 1000;
    },
    end: () => {
      clearTimeout(timer);
      response.off('close', onClose);
    },
  };
}

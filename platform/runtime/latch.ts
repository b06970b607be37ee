/** Something happened: whoever waits goes on, and who begins to wait later for what it has not seen yet goes on at once. */
export interface Latch {
  open(): void;
  /** Until `open` is called, at once if it was since the last `wait`; at the latest after `ms`, or when the signal aborts. */
  wait(signal: AbortSignal, ms?: number): Promise<void>;
  /** For many at a time: until the next `open`. */
  next(signal: AbortSignal): Promise<void>;
}

export function createLatch(): Latch {
  let isOpen = false;
  const waiting = new Set<() => void>();
  const next = (signal: AbortSignal, ms?: number): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = ms === undefined ? undefined : setTimeout(() => done(), ms);
      const done = () => {
        clearTimeout(timer);
        waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  return {
    open() {
      isOpen = true;
      for (const done of [...waiting]) done();
    },
    async wait(signal, ms) {
      if (!isOpen) await next(signal, ms);
      isOpen = false;
    },
    next: (signal) => next(signal),
  };
}

/** Does the work when a place is free; rejects with the signal's reason when that aborts before. */
export type InPlace = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** So much work at a time; the rest waits in the order in which it came. */
export function createPlaces(count: number): InPlace {
  const waiting = new Set<() => void>();
  let free = count;

  const take = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (free > 0) {
        free -= 1;
        return resolve();
      }
      const leave = () => {
        waiting.delete(enter);
        reject(signal.reason);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });

  const giveBack = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  };

  return async (work, signal) => {
    await take(signal);
    try {
      return await work();
    } finally {
      giveBack();
    }
  };
}

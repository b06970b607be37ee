import { createLatch, type Latch } from '../latch.ts';

/** Wakes those who wait for one workload, and nobody else. */
export interface News {
  changed(name: string): void;
  /** Until something about the workload may have changed, or the signal aborts. */
  next(name: string, signal: AbortSignal): Promise<void>;
}

export function createNews(): News {
  const latches = new Map<string, Latch>();
  return {
    changed(name) {
      const latch = latches.get(name);
      latches.delete(name);
      latch?.open();
    },
    next(name, signal) {
      const latch = latches.get(name) ?? createLatch();
      latches.set(name, latch);
      return latch.next(signal);
    },
  };
}

import { sleep } from '@haic/kit/deadline.ts';

/** What was asked while something happened to the platform. */
export interface Load {
  stop(): Promise<{ readonly asked: number; readonly retried: number; readonly failed: readonly string[] }>;
}

/** By then an ingress has heard of a pod that was killed, also on a slow machine: until it has, it sends every other request there. */
const retryAfterMs = 12_000;

/** As people do: each of these one time after the other, and what fails is tried once more. */
export function askAgainAndAgain(works: readonly (() => Promise<void>)[]): Load {
  const ending = new AbortController();
  const found = { asked: 0, retried: 0, failed: [] as string[] };
  const always = new AbortController().signal;
  const repeat = async (work: () => Promise<void>) => {
    while (!ending.signal.aborted) {
      found.asked += 1;
      await work().catch(async () => {
        found.retried += 1;
        await sleep(retryAfterMs, always);
        await work().catch((error: unknown) => found.failed.push(String(error)));
      });
      await sleep(20, always);
    }
  };
  const workers = works.map(repeat);
  return {
    stop: async () => {
      ending.abort();
      await Promise.all(workers);
      return found;
    },
  };
}

/** Until it succeeds, for at most a minute and a half; then what it failed with last. */
export async function persistently<T>(work: () => Promise<T>): Promise<T> {
  const end = Date.now() + 90_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(1_000, new AbortController().signal);
    }
  }
}

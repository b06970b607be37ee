import { tooMany } from '@haic/kit/errors.ts';
import { createBuckets, type Rate } from '@haic/kit/http/rate-limit.ts';

/** By person, over all their clients: enough for every honest script, and for who has a stolen token too little to empty a store unseen. */
export const usualRevealRate: Rate = { perMinute: 600, burst: 300 };

/** Counts one value or token that a person asks for; throws 429 for one too many. */
export function createRevealCounter(rate: Rate, now: () => number): (subject: string) => void {
  const buckets = createBuckets(rate, now);
  return (subject) => {
    const { allowed, nextMs } = buckets.draw(subject);
    if (allowed || rate.perMinute === 0) return;
    const seconds = Math.max(1, Math.ceil(nextMs / 1000));
    throw tooMany(
      `Too many values were read at once: ${rate.perMinute} in a minute is what one may read. Wait ${seconds} second${seconds === 1 ? '' : 's'}, then go on more slowly.`,
    );
  };
}

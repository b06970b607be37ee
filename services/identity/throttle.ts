import { createHash } from 'node:crypto';
import { networkOf } from '@haic/kit/http/address.ts';
import type { Database } from '@haic/platform/database/port.ts';

/**
 * Limits guessing without giving anyone the power to lock another person out (OWASP's device cookies): failures count for the person
 * together with the address they came from, or with the browser that this person signed in with before. Whoever attacks from
 * elsewhere blocks only elsewhere; the person's own browser has a count of its own even behind the same address.
 */
export interface ThrottlePolicy {
  /** Failures of one person from one place before that place has to wait. */
  readonly perPerson: number;
  /** Failures from one address, over all people, before unknown browsers at it have to wait. */
  readonly perAddress: number;
  readonly windowMs: number;
  readonly firstBlockMs: number;
  readonly longestBlockMs: number;
}

export const defaultThrottlePolicy: ThrottlePolicy = {
  perPerson: 5,
  perAddress: 50,
  windowMs: 15 * 60 * 1000,
  firstBlockMs: 30 * 1000,
  longestBlockMs: 15 * 60 * 1000,
};

export interface Attempt {
  readonly username: string;
  readonly address: string;
  /** The id of a browser that this person signed in with before; undefined for an unknown one. */
  readonly knownBrowser: string | undefined;
}

export type SignInThrottle = ReturnType<typeof createSignInThrottle>;

export function createSignInThrottle(database: Database, policy: ThrottlePolicy, now: () => Date) {
  const { sql } = database;

  const placesOf = (attempt: Attempt) =>
    attempt.knownBrowser !== undefined
      ? [{ key: hash('browser', attempt.username, attempt.knownBrowser), limit: policy.perPerson }]
      : [
          { key: hash('place', attempt.username, networkOf(attempt.address)), limit: policy.perPerson },
          { key: hash('address', networkOf(attempt.address)), limit: policy.perAddress },
        ];

  return {
    /**
     * Counts the attempt before it is judged, so that a thousand at once are no more than a thousand in a row. Returns the
     * milliseconds to wait when it may not be made now, else 0.
     */
    begin: async (attempt: Attempt): Promise<number> => {
      const waits: number[] = [];
      for (const { key, limit } of placesOf(attempt)) waits.push(await count(key, limit));
      return Math.max(...waits);
    },

    /** Takes the attempt back; of the address only this one, since a right password must not buy more guesses at others. */
    succeeded: async (attempt: Attempt): Promise<void> => {
      const [own, address] = placesOf(attempt);
      if (own !== undefined) await sql`delete from identity.failed_attempts where key = ${own.key}`;
      if (address === undefined) return;
      await sql`
        update identity.failed_attempts set failures = greatest(failures - 1, 0), blocked_until = null
        where key = ${address.key}`;
    },

    sweep: async (): Promise<void> => {
      const before = new Date(now().getTime() - policy.windowMs);
      await sql`
        delete from identity.failed_attempts
        where first_at < ${before} and (blocked_until is null or blocked_until < ${now()})`;
    },
  };

  /** One statement, so that it holds under concurrency. The attempt that reaches the limit still counts; the next has to wait. */
  async function count(key: Buffer, limit: number): Promise<number> {
    const at = now();
    const windowStart = new Date(at.getTime() - policy.windowMs);
    const [counted] = await sql`
      insert into identity.failed_attempts as f (key, failures, first_at) values (${key}, 1, ${at})
      on conflict (key) do update set
        failures = case when f.first_at < ${windowStart} then 1 else f.failures + 1 end,
        first_at = case when f.first_at < ${windowStart} then ${at} else f.first_at end,
        blocked_until = case when f.first_at >= ${windowStart} and f.failures + 1 >= ${limit}
          then ${at}::timestamptz + make_interval(secs => least(
            ${policy.firstBlockMs / 1000}::float8 * power(2, least(f.failures + 1 - ${limit}, 20)),
            ${policy.longestBlockMs / 1000}::float8))
          end
      where f.blocked_until is null or f.blocked_until <= ${at}
      returning failures`;
    if (counted !== undefined) return 0;
    const [row] = await sql<{ blocked_until: Date | null }[]>`
      select blocked_until from identity.failed_attempts where key = ${key}`;
    return Math.max(1, (row?.blocked_until?.getTime() ?? 0) - at.getTime());
  }
}

const hash = (...parts: string[]) => createHash('sha256').update(JSON.stringify(parts)).digest();

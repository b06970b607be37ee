import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../auth/principal.ts';
import { tooMany } from '../errors.ts';
import { addressOf, networkOf } from './address.ts';

export interface Rate {
  /** Requests in a minute that go on for ever; 0 for no limit. */
  readonly perMinute: number;
  /** Requests at once, after a pause. */
  readonly burst: number;
}

export interface RateLimits {
  readonly person: Rate;
  /** For who is not signed in, by the address that they come from. */
  readonly address: Rate;
  readonly now?: () => number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** What of a bucket shows in headers. */
export interface Draw {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Milliseconds until there is one token, and until there are as many as there can be. */
  readonly nextMs: number;
  readonly fullMs: number;
}

/** More than any installation has people who are busy at once; one who was forgotten merely starts with a full bucket. */
const mostBuckets = 20_000;

/** Token buckets, each filled at the rate and holding a burst. */
export function createBuckets(rate: Rate, now: () => number): { draw(key: string): Draw } {
  const buckets = new Map<string, Bucket>();
  const perMs = rate.perMinute / 60_000;
  return {
    draw(key) {
      const at = now();
      const before = buckets.get(key) ?? { tokens: rate.burst, at };
      const filled = Math.min(rate.burst, before.tokens + Math.max(0, at - before.at) * perMs);
      const allowed = filled >= 1;
      const tokens = allowed ? filled - 1 : filled;
      // Put last, so that the first is the one that was quiet for longest.
      buckets.delete(key);
      buckets.set(key, { tokens, at });
      if (buckets.size > mostBuckets) buckets.delete(buckets.keys().next().value ?? '');
      return {
        allowed,
        remaining: Math.floor(tokens),
        nextMs: Math.max(0, (1 - tokens) / perMs),
        fullMs: (rate.burst - tokens) / perMs,
      };
    },
  };
}

/**
 * One loop that got out of hand must not take the API from everybody else. By person, over all their clients; services are exempt, because they
 * work for many; who is not signed in counts by address. A stream counts once. The headers are those of draft-ietf-httpapi-ratelimit-headers.
 */
export function createRateLimiter(limits: RateLimits) {
  const now = limits.now ?? Date.now;
  const people = createBuckets(limits.person, now);
  const networks = createBuckets(limits.address, now);
  const counts = (request: FastifyRequest): boolean =>
    request.url.startsWith('/api/') && !request.url.startsWith('/api/launcher/');

  return {
    counts,
    /** Throws 429 when it is too much, and says in the headers how much is left. */
    count: (request: FastifyRequest, reply: FastifyReply, principal: Principal | undefined): void => {
      if (!counts(request) || principal?.partyKind === 'service') return;
      if (principal === undefined)
        enforce(reply, limits.address, 'address', networks.draw(networkOf(addressOf(request))));
      else enforce(reply, limits.person, 'person', people.draw(principal.subject));
    },
  };
}

export type RateLimiter = ReturnType<typeof createRateLimiter>;

function enforce(reply: FastifyReply, rate: Rate, name: string, draw: Draw): void {
  if (rate.perMinute === 0) return;
  const { allowed, remaining, nextMs, fullMs } = draw;
  const seconds = Math.ceil(fullMs / 1000);
  reply
    .header(
      'ratelimit-policy',
      `"${name}";q=${rate.burst};w=${Math.ceil((rate.burst / rate.perMinute) * 60)}`,
    )
    .header('ratelimit', `"${name}";r=${remaining};t=${seconds}`);
  if (allowed) return;
  const retryAfter = Math.max(1, Math.ceil(nextMs / 1000));
  reply.header('retry-after', retryAfter);
  throw tooMany(
    `Too many requests: ${rate.perMinute} in a minute is what one may make. Wait ${retryAfter} second${retryAfter === 1 ? '' : 's'}, then go on more slowly.`,
  );
}

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
 * work for many; who is not signed in counts by address. Protobuf services count with the rest, by whichever protocol. A stream counts once. The
 * headers are those of draft-ietf-httpapi-ratelimit-headers.
 */
export function createRateLimiter(limits: RateLimits) {
  const now = limits.now ?? Date.now;
  const people = createBuckets(limits.person, now);
  const networks = createBuckets(limits.address, now);
  const counts = ({ url, routeOptions }: FastifyRequest): boolean =>
    routeOptions.config.counted === true || (url.startsWith('/api/') && !url.startsWith('/api/launcher/'));
  const drawFor = (principal: Principal | undefined, address: string): Drawn => {
    if (principal === undefined)
      return { name: 'address', rate: limits.address, draw: networks.draw(networkOf(address)) };
    return { name: 'person', rate: limits.person, draw: people.draw(principal.subject) };
  };

  return {
    counts,
    /** Throws 429 when it is too much, and says in the headers how much is left. */
    count: (request: FastifyRequest, reply: FastifyReply, principal: Principal | undefined): void => {
      if (!counts(request) || principal?.partyKind === 'service') return;
      const drawn = drawFor(principal, addressOf(request));
      if (drawn.rate.perMinute === 0) return;
      for (const [name, value] of headersOf(drawn)) reply.header(name, value);
      refuseOneTooMany(drawn);
    },
    /** The same for a call that is answered by other means than the framework's. */
    countCall: (principal: Principal | undefined, address: string): void => {
      if (principal?.partyKind === 'service') return;
      const drawn = drawFor(principal, address);
      if (drawn.rate.perMinute !== 0) refuseOneTooMany(drawn);
    },
  };
}

export type RateLimiter = ReturnType<typeof createRateLimiter>;

interface Drawn {
  readonly name: 'person' | 'address';
  readonly rate: Rate;
  readonly draw: Draw;
}

const secondsUntilNext = ({ nextMs }: Draw): number => Math.max(1, Math.ceil(nextMs / 1000));

function headersOf({ name, rate, draw }: Drawn): readonly (readonly [name: string, value: string])[] {
  const window = Math.ceil((rate.burst / rate.perMinute) * 60);
  return [
    ['ratelimit-policy', `"${name}";q=${rate.burst};w=${window}`],
    ['ratelimit', `"${name}";r=${draw.remaining};t=${Math.ceil(draw.fullMs / 1000)}`],
    ...(draw.allowed ? [] : [['retry-after', String(secondsUntilNext(draw))] as const]),
  ];
}

function refuseOneTooMany({ rate, draw }: Drawn): void {
  if (draw.allowed) return;
  const seconds = secondsUntilNext(draw);
  throw tooMany(
    `Too many requests: ${rate.perMinute} in a minute is what one may make. Wait ${seconds} second${seconds === 1 ? '' : 's'}, then go on more slowly.`,
  );
}

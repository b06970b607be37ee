import { randomUUID } from 'node:crypto';
import { type IdempotencyStore, idempotencyTimes, type KeptAnswer } from './port.ts';

interface Row {
  claim: string;
  makes: string;
  leaseUntil: number;
  expiresAt: number;
  done: { fingerprint: string; answer: KeptAnswer } | undefined;
}

/** For tests, and for what does not outlive its process anyway. */
export function createMemoryIdempotencyStore(times = idempotencyTimes, now = Date.now): IdempotencyStore {
  const rows = new Map<string, Row>();
  const held = (key: string, claim: string): Row | undefined => {
    const row = rows.get(key);
    return row?.claim === claim && row.done === undefined ? row : undefined;
  };
  return {
    renewEveryMs: times.leaseMs / 3,
    async claim(key) {
      const at = now();
      const found = rows.get(key);
      const before = found !== undefined && found.expiresAt > at ? found : undefined;
      if (before?.done !== undefined) return { kind: 'done', ...before.done };
      if (before !== undefined && before.leaseUntil > at)
        return { kind: 'running', retryAfterMs: before.leaseUntil - at };
      const row: Row = {
        claim: randomUUID(),
        makes: before?.makes ?? randomUUID(),
        leaseUntil: at + times.leaseMs,
        expiresAt: at + times.keepMs,
        done: undefined,
      };
      rows.set(key, row);
      return { kind: 'claimed', claim: row.claim, makes: row.makes };
    },
    async renew(key, claim) {
      const row = held(key, claim);
      if (row !== undefined) row.leaseUntil = now() + times.leaseMs;
    },
    async keep(key, claim, fingerprint, answer) {
      const row = held(key, claim);
      if (row !== undefined) row.done = { fingerprint, answer };
    },
    async release(key, claim) {
      if (held(key, claim) !== undefined) rows.delete(key);
    },
    async sweep() {
      for (const [key, row] of rows) if (row.expiresAt <= now()) rows.delete(key);
    },
  };
}

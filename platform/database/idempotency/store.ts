import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type Claim, type IdempotencyStore, idempotencyTimes } from '@haic/kit/http/idempotency/port.ts';
import type { Database, Migrations } from '../port.ts';

/** To be applied before the store is used. */
export const idempotencyMigrations: Migrations = {
  schema: 'idempotency',
  directory: path.join(import.meta.dirname, 'migrations'),
};

interface Row {
  fingerprint: string | null;
  status: number | null;
  headers: string | null;
  body: Buffer | null;
  lease_until: Date;
}

/** Survives restarts and is shared by all processes: one statement decides who has a key. */
export function createPostgresIdempotencyStore(
  database: Database,
  times = idempotencyTimes,
  now: () => number = Date.now,
): IdempotencyStore {
  const { sql } = database;

  async function claim(key: string): Promise<Claim> {
    const at = new Date(now());
    const mine = randomUUID();
    const [claimed] = await sql<{ makes: string }[]>`
      insert into idempotency.keys as k (key, claim, makes, lease_until, expires_at)
      values (${key}, ${mine}, ${randomUUID()}, ${later(at, times.leaseMs)}, ${later(at, times.keepMs)})
      on conflict (key) do update set
        claim = excluded.claim, lease_until = excluded.lease_until, expires_at = excluded.expires_at,
        makes = case when k.expires_at > ${at} then k.makes else excluded.makes end,
        fingerprint = null, status = null, headers = null, body = null
      where k.expires_at <= ${at} or (k.status is null and k.lease_until <= ${at})
      returning makes`;
    if (claimed !== undefined) return { kind: 'claimed', claim: mine, makes: claimed.makes };
    const [row] = await sql<Row[]>`
      select fingerprint, status, headers, body, lease_until from idempotency.keys where key = ${key}`;
    // Released between the two statements: whoever asks again will get it.
    if (row === undefined) return { kind: 'running', retryAfterMs: 1000 };
    if (row.status === null)
      return { kind: 'running', retryAfterMs: Math.max(1, row.lease_until.getTime() - at.getTime()) };
    return {
      kind: 'done',
      fingerprint: row.fingerprint ?? '',
      answer: {
        status: row.status,
        headers: JSON.parse(row.headers ?? '{}') as Record<string, string>,
        body: row.body?.toString() ?? '',
      },
    };
  }

  return {
    claim,
    renewEveryMs: times.leaseMs / 3,
    renew: async (key, mine) => {
      await sql`
        update idempotency.keys set lease_until = ${later(new Date(now()), times.leaseMs)}
        where key = ${key} and claim = ${mine} and status is null`;
    },
    keep: async (key, mine, fingerprint, answer) => {
      await sql`
        update idempotency.keys set fingerprint = ${fingerprint}, status = ${answer.status},
          headers = ${JSON.stringify(answer.headers)}, body = ${Buffer.from(answer.body)}
        where key = ${key} and claim = ${mine} and status is null`;
    },
    release: async (key, mine) => {
      await sql`delete from idempotency.keys where key = ${key} and claim = ${mine} and status is null`;
    },
    sweep: async () => {
      await sql`delete from idempotency.keys where expires_at <= ${new Date(now())}`;
    },
  };
}

const later = (at: Date, milliseconds: number): Date => new Date(at.getTime() + milliseconds);

import { sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { open, seal } from '@haic/kit/keys.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { contextOf, type Vault } from './vault.ts';
import { type KeySource, keyMissing } from './wrapping-keys.ts';

export interface RotationStatus {
  /** The key that wraps. */
  readonly current: string;
  /** Every key that something is wrapped by, or that was current once, with how many data keys it wraps. */
  readonly keys: readonly { readonly id: string; readonly wraps: number }[];
  /** Data keys that another key than the current one wraps. */
  readonly left: number;
  /** Why nothing goes on just now; empty while all is well. */
  readonly problem: string;
}

export interface Rotation {
  /** Makes a new key where Haic makes its own, takes up one that was brought otherwise, and begins to wrap by it. */
  begin(): Promise<RotationStatus>;
  status(): Promise<RotationStatus>;
  /** Goes on with what was begun, by this process or one before it. To be called at the start. */
  resume(): void;
  stop(): Promise<void>;
}

const batchSize = 200;
const retryMs = 5000;
/** Held while keys come and go: what is forgotten must not be what was made just now. */
const keysLock = 4_811_020;

/**
 * Brings every data key under the current wrapping key, a batch a transaction, while everything goes on: a data key is the same before and
 * after. There is nothing to note about how far it came, because what is left to do is what is wrapped by another key. A key that wraps
 * nothing any more is struck off, which the database refuses for one that does.
 */
export function createRotation(options: {
  readonly database: Database;
  readonly keys: KeySource;
  readonly vault: Vault;
  readonly logger: Logger;
}): Rotation {
  const { database, keys, vault, logger } = options;
  const { sql } = database;
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let again = false;
  let problem = '';

  async function rewrapBatch(): Promise<number> {
    const { keyring: ring } = await vault.unlock();
    return database.transaction(async (transaction) => {
      const rows = await transaction<{ id: string; wrapping_key: string; wrapped: Buffer }[]>`
        select id, wrapping_key, wrapped from secrets.data_keys where wrapping_key <> ${ring.current.id}
        order by id limit ${batchSize} for update skip locked`;
      const ids: string[] = [];
      const wrapped: string[] = [];
      for (const row of rows) {
        const by = ring.find(row.wrapping_key);
        if (by === undefined) throw keyMissing(row.wrapping_key);
        ids.push(row.id);
        const context = contextOf(row.id);
        wrapped.push(seal(ring.current.key, open(by.key, row.wrapped, context), context).toString('hex'));
      }
      if (rows.length > 0)
        await transaction`
          update secrets.data_keys as k set wrapping_key = ${ring.current.id}, wrapped = decode(fresh.wrapped, 'hex')
          from unnest(${ids}::uuid[], ${wrapped}::text[]) as fresh (id, wrapped) where k.id = fresh.id`;
      return rows.length;
    });
  }

  /** Struck off in the database first: from then on nobody wraps by it, so nothing needs it any more. */
  const strikeOff = (): Promise<void> =>
    alone(async () => {
      const { current } = (await vault.refresh()).keyring;
      await sql`
        delete from secrets.wrapping_keys as w where w.id <> ${current.id}
          and not exists (select 1 from secrets.data_keys where wrapping_key = w.id)`;
      const kept = await sql<{ id: string }[]>`select id from secrets.wrapping_keys`;
      await keys.keepOnly?.(kept.map(({ id }) => id));
    });

  const takeUpNew = (): Promise<void> =>
    alone(async () => {
      // What was brought is looked at first: with a wrong key no further one is made.
      await vault.refresh();
      await keys.addNew?.();
      await vault.refresh();
    });

  const alone = (step: () => Promise<void>): Promise<void> =>
    database.transaction(async (transaction) => {
      await transaction`select pg_advisory_xact_lock(${keysLock})`;
      await step();
    });

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        let done = 0;
        for (let count = 1; count > 0 && !stopping.signal.aborted; done += count) count = await rewrapBatch();
        if (stopping.signal.aborted) return;
        await strikeOff();
        problem = '';
        if (done > 0) logger.info({ dataKeys: done }, 'The data keys of secrets were wrapped anew.');
        if (!again) return;
        again = false;
      } catch (error) {
        problem = messageOf(error);
        logger.warn({ err: error }, 'Data keys of secrets cannot be wrapped anew just now.');
        await sleep(retryMs, stopping.signal).catch(() => {});
      }
    }
  }

  const resume = (): void => {
    if (running !== undefined) {
      again = true;
      return;
    }
    running = work().finally(() => {
      running = undefined;
    });
  };

  const status = async (): Promise<RotationStatus> => {
    const { current } = (await vault.unlock()).keyring;
    const rows = await sql<{ id: string; wraps: number }[]>`
      select w.id, count(k.id)::int as wraps from secrets.wrapping_keys w
      left join secrets.data_keys k on k.wrapping_key = w.id group by w.id order by min(w.created_at), w.id`;
    const left = rows.reduce((sum, { id, wraps }) => (id === current.id ? sum : sum + wraps), 0);
    return { current: current.id, keys: [...rows], left, problem };
  };

  return {
    begin: async () => {
      await takeUpNew();
      resume();
      return status();
    },
    status,
    resume,
    stop: async () => {
      stopping.abort(new Error('Haic is stopping.'));
      await running;
    },
  };
}

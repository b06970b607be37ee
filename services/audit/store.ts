import type { Database, TransactionSql } from '@haic/platform/database/port.ts';
import type { Link } from './chain.ts';
import type { AuditEvent } from './model.ts';
import { type AnySql, type EventRow, toEvent, toRow } from './rows.ts';

/** The one row of `audit.trail`: where the trail begins and ends now. */
export interface TrailRow {
  readonly base: Link;
  readonly baseMac: Buffer;
  readonly head: Link;
  readonly headMac: Buffer;
  readonly checkpointSeq: number;
  /** Microseconds since the epoch. */
  readonly checkpointTime: bigint;
  readonly restored: boolean;
}

export interface Checkpoint {
  readonly link: Link;
  readonly mac: Buffer;
  /** Microseconds since the epoch. */
  readonly madeTime: bigint;
}

interface RawTrail {
  readonly base_seq: string;
  readonly base_hash: Buffer;
  readonly base_mac: Buffer;
  readonly head_seq: string;
  readonly head_hash: Buffer;
  readonly head_mac: Buffer;
  readonly checkpoint_seq: string;
  readonly checkpoint_time: string;
  readonly restored: boolean;
}

export interface ChainedEvent {
  readonly event: AuditEvent;
  readonly hash: Buffer;
}

/** Of those who write down how far the trail has come, whatever machine they are on. */
const witnessLock = 4_811_015;

/** All that is written to the trail. Whoever appends or gives up holds the row of `audit.trail`. */
export const trailStore = {
  /** For update: nobody else appends until the transaction ends. Undefined before the first event. */
  async lock(sql: TransactionSql): Promise<TrailRow | undefined> {
    const [row] = await sql<RawTrail[]>`select * from audit.trail for update`;
    return row === undefined ? undefined : toTrail(row);
  },

  /** Until the transaction ends nobody else writes down how far the trail has come; appending goes on. */
  async lockWitness(sql: TransactionSql): Promise<void> {
    await sql`select pg_advisory_xact_lock(${witnessLock})`;
  },

  async read(sql: AnySql): Promise<TrailRow | undefined> {
    const [row] = await sql<RawTrail[]>`select * from audit.trail`;
    return row === undefined ? undefined : toTrail(row);
  },

  /** Of two that begin at once one waits for the other, and both go on from the same beginning. */
  async begin(sql: TransactionSql, base: Link, baseMac: Buffer, headMac: Buffer): Promise<TrailRow> {
    await sql`
      insert into audit.trail (base_seq, base_hash, base_mac, head_seq, head_hash, head_mac, checkpoint_seq, checkpoint_time)
      values (${base.seq}, ${base.hash}, ${baseMac}, ${base.seq}, ${base.hash}, ${headMac}, ${base.seq}, 0)
      on conflict do nothing`;
    const row = await trailStore.lock(sql);
    if (row === undefined) throw new Error('The row of the audit trail was removed while it was made.');
    return row;
  },

  async byIds(sql: AnySql, ids: readonly string[]): Promise<ReadonlyMap<string, AuditEvent>> {
    const rows = await sql<EventRow[]>`select * from audit.events where id = any(${[...ids]}::uuid[])`;
    return new Map(rows.map((row) => [row.id, toEvent(row)]));
  },

  async append(sql: TransactionSql, events: readonly ChainedEvent[]): Promise<void> {
    const rows = events.map(({ event, hash }) => toRow(sql, event, hash));
    await sql`insert into audit.events ${sql(rows)}`;
  },

  async moveHead(sql: TransactionSql, head: Link, mac: Buffer): Promise<void> {
    await sql`
      update audit.trail set head_seq = ${head.seq}, head_hash = ${head.hash}, head_mac = ${mac}, restored = false`;
  },

  async addCheckpoint(sql: TransactionSql, { link, mac, madeTime }: Checkpoint): Promise<void> {
    const time = madeTime.toString();
    await sql`
      insert into audit.checkpoints (seq, hash, mac, made_time)
      values (${link.seq}, ${link.hash}, ${mac}, ${time})
      on conflict do nothing`;
    await sql`update audit.trail set checkpoint_seq = ${link.seq}, checkpoint_time = ${time}`;
  },

  async checkpoints(sql: AnySql): Promise<readonly Checkpoint[]> {
    return (await sql<RawCheckpoint[]>`select * from audit.checkpoints order by seq`).map(toCheckpoint);
  },

  /** The last one that had been made by then. */
  async lastCheckpointBy(sql: AnySql, time: bigint): Promise<Checkpoint | undefined> {
    const [row] = await sql<RawCheckpoint[]>`
      select * from audit.checkpoints where made_time < ${time.toString()} order by seq desc limit 1`;
    return row === undefined ? undefined : toCheckpoint(row);
  },

  async moveBase(sql: TransactionSql, base: Link, mac: Buffer): Promise<void> {
    await sql`update audit.trail set base_seq = ${base.seq}, base_hash = ${base.hash}, base_mac = ${mac}`;
  },

  /** In bites, so that no statement lasts. Returns how many events there were. */
  async removeUpToBase({ sql }: Database, signal: AbortSignal): Promise<number> {
    let removed = 0;
    for (;;) {
      signal.throwIfAborted();
      const { count } = await sql`
        delete from audit.events where seq in (
          select seq from audit.events where seq <= (select base_seq from audit.trail) order by seq limit 5000)`;
      removed += count;
      if (count === 0) break;
    }
    await sql`delete from audit.checkpoints where seq < (select base_seq from audit.trail)`;
    return removed;
  },

  async last(sql: AnySql): Promise<Link | undefined> {
    const [row] = await sql<{ seq: string; hash: Buffer }[]>`
      select seq, hash from audit.events order by seq desc limit 1`;
    return row === undefined ? undefined : { seq: Number(row.seq), hash: row.hash };
  },

  async hashAt(sql: AnySql, seq: number): Promise<Buffer | undefined> {
    const [row] = await sql<{ hash: Buffer }[]>`select hash from audit.events where seq = ${seq}`;
    return row?.hash;
  },

  /** In their order, after a place. */
  async after(sql: AnySql, seq: number, most: number): Promise<readonly ChainedEvent[]> {
    const rows = await sql<EventRow[]>`
      select * from audit.events where seq > ${seq} order by seq limit ${most}`;
    return rows.map((row) => ({ event: toEvent(row), hash: row.hash }));
  },
};

interface RawCheckpoint {
  readonly seq: string;
  readonly hash: Buffer;
  readonly mac: Buffer;
  readonly made_time: string;
}

const toCheckpoint = (row: RawCheckpoint): Checkpoint => ({
  link: { seq: Number(row.seq), hash: row.hash },
  mac: row.mac,
  madeTime: BigInt(row.made_time),
});

const toTrail = (row: RawTrail): TrailRow => ({
  base: { seq: Number(row.base_seq), hash: row.base_hash },
  baseMac: row.base_mac,
  head: { seq: Number(row.head_seq), hash: row.head_hash },
  headMac: row.head_mac,
  checkpointSeq: Number(row.checkpoint_seq),
  checkpointTime: BigInt(row.checkpoint_time),
  restored: row.restored,
});

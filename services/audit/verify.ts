import type { Database, TransactionSql } from '@haic/platform/database/port.ts';
import { type Chain, equal, type Link } from './chain.ts';
import { breakAction, restoreAction } from './continuations.ts';
import type { AuditEvent } from './model.ts';
import { type ChainedEvent, type Checkpoint, type TrailRow, trailStore } from './store.ts';
import type { Witness } from './witness.ts';

export interface Verification {
  /** How many events were looked at. */
  readonly events: number;
  /** From the oldest that is kept to the newest; both 0 when there are none. */
  readonly first: number;
  readonly last: number;
  /** Restores that the trail tells of, by the place where. */
  readonly restoredAt: readonly number[];
  /** The first thing that is not as it was written; undefined when all is. */
  readonly broken: Finding | undefined;
}

export interface Finding {
  /** Where: the place of the event, or of the one that is missing. */
  readonly seq: number;
  readonly eventId: string | undefined;
  readonly what: string;
}

const chunk = 2000;

/**
 * Reads the whole trail, of one instant, and follows it link by link. `progress` gets how many of how many events were looked at. Bounded memory,
 * whatever its length; stops at what it finds first.
 */
export async function verifyTrail(options: {
  readonly database: Database;
  readonly chain: Chain;
  readonly witness: Witness;
  readonly signal: AbortSignal;
  readonly progress?: (done: number, of: number) => void;
}): Promise<Verification> {
  const { database, chain, signal } = options;
  // Before the instant of the snapshot: what is appended between the two is then no loss.
  const witnessed = await options.witness.recall();
  return database.transaction(async (sql) => {
    await sql`set transaction isolation level repeatable read, read only`;
    const row = await trailStore.read(sql);
    if (row === undefined) return verifyNothing(sql, witnessed);
    const walk = { sql, chain, row, witnessed, signal, progress: options.progress ?? (() => {}) };
    return follow(walk);
  });
}

async function verifyNothing(sql: TransactionSql, witnessed: Link | undefined): Promise<Verification> {
  const last = await trailStore.last(sql);
  const seq = last?.seq ?? witnessed?.seq;
  const broken =
    seq === undefined
      ? undefined
      : { seq, eventId: undefined, what: 'The row that says where the trail ends is gone.' };
  return { events: 0, first: 0, last: 0, restoredAt: [], broken };
}

interface Walk {
  readonly sql: TransactionSql;
  readonly chain: Chain;
  readonly row: TrailRow;
  readonly witnessed: Link | undefined;
  readonly signal: AbortSignal;
  readonly progress: (done: number, of: number) => void;
}

async function follow(walk: Walk): Promise<Verification> {
  const { sql, chain, row, signal } = walk;
  const restoredAt: number[] = [];
  const checkpoints = new Map((await trailStore.checkpoints(sql)).map((point) => [point.link.seq, point]));
  let before = row.base;
  let events = 0;
  const result = (broken?: Finding): Verification => ({
    events,
    first: events === 0 ? 0 : row.base.seq + 1,
    last: before.seq,
    restoredAt,
    broken,
  });
  if (!chain.isSigned('base', row.base, row.baseMac))
    return result(finding(row.base.seq, undefined, 'Where the trail begins was changed.'));
  for (;;) {
    signal.throwIfAborted();
    const found = await trailStore.after(sql, before.seq, chunk);
    for (const chained of found) {
      const broken = breakAt(chain, before, chained, checkpoints.get(chained.event.seq));
      if (broken !== undefined) return result(broken);
      if (chained.event.action === restoreAction) restoredAt.push(chained.event.seq);
      before = { seq: chained.event.seq, hash: chained.hash };
      events += 1;
    }
    walk.progress(events, Math.max(events, row.head.seq - row.base.seq));
    if (found.length < chunk) break;
  }
  return result(breakAtEnd(walk, before, checkpoints) ?? (await breakOfWitness(walk, before, restoredAt)));
}

const finding = (seq: number, eventId: string | undefined, what: string): Finding => ({ seq, eventId, what });

function breakAt(
  chain: Chain,
  before: Link,
  { event, hash }: ChainedEvent,
  checkpoint: Checkpoint | undefined,
): Finding | undefined {
  const expected = before.seq + 1;
  if (event.seq !== expected) return finding(expected, undefined, missing(expected, event.seq - 1));
  if (!equal(chain.hashOf(event, before.hash), hash))
    return finding(event.seq, event.id, 'This event, or its place, is not as it was recorded.');
  if (isOwn(event, breakAction))
    return finding(
      event.seq,
      event.id,
      `The trail itself noticed here that it had been tampered with (${event.metadata.reason ?? 'no reason given'}).`,
    );
  if (checkpoint !== undefined && !isGood(chain, checkpoint, hash))
    return finding(event.seq, event.id, 'The checkpoint at this event does not belong to it.');
  return undefined;
}

const isOwn = (event: AuditEvent, action: string): boolean =>
  event.action === action && event.principal === 'services/audit-trail';

const isGood = (chain: Chain, { link, mac }: Checkpoint, hash: Buffer): boolean =>
  equal(link.hash, hash) && chain.isSigned('checkpoint', link, mac);

const missing = (from: number, to: number): string =>
  from === to ? `The event ${from} is missing.` : `The events ${from} to ${to} are missing.`;

/** Whether the last event is the one that was written last. */
function breakAtEnd(
  { chain, row }: Walk,
  last: Link,
  checkpoints: ReadonlyMap<number, Checkpoint>,
): Finding | undefined {
  const furthest = Math.max(row.head.seq, ...checkpoints.keys());
  if (furthest > last.seq) return finding(last.seq + 1, undefined, missing(last.seq + 1, furthest));
  if (!equal(row.head.hash, last.hash) || !chain.isSigned('head', row.head, row.headMac))
    return finding(last.seq, undefined, 'Where the trail ends was changed.');
  return undefined;
}

/** A database that was put back as a whole is consistent; who remembers more can tell. A restore that said so is none of it. */
async function breakOfWitness(
  { sql, row, witnessed }: Walk,
  last: Link,
  restoredAt: readonly number[],
): Promise<Finding | undefined> {
  if (witnessed === undefined || row.restored || witnessed.seq <= row.base.seq) return undefined;
  if (witnessed.seq > last.seq)
    return finding(
      last.seq + 1,
      undefined,
      `The database is of an older state: the trail had come to ${witnessed.seq}, and ends at ${last.seq}.`,
    );
  const hash = await trailStore.hashAt(sql, witnessed.seq);
  if (hash !== undefined && equal(hash, witnessed.hash)) return undefined;
  if (restoredAt.some((seq) => seq > 0 && seq <= witnessed.seq)) return undefined;
  return finding(witnessed.seq, undefined, 'This event is another one than had been here before.');
}

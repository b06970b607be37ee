import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database, TransactionSql } from '@haic/platform/database/port.ts';
import { type Chain, equal, isSameEvent, type Link } from './chain.ts';
import { brokenTrail, type Discontinuity, restoredTrail } from './continuations.ts';
import type { AuditEvent, NewEvent } from './model.ts';
import { type ChainedEvent, type TrailRow, trailStore } from './store.ts';
import type { Witness } from './witness.ts';

/** Where events are appended, one after the other, whoever appends. */
export interface Trail {
  /** One answer an event, in their order: it as it is in the trail, or `taken` when another one has its id. All of them durable. */
  append(events: readonly NewEvent[]): Promise<readonly (AuditEvent | 'taken')[]>;
  /** Writes down how far the trail has come. */
  stop(): Promise<void>;
}

/** Events after which, and microseconds after which, a checkpoint is made with the next append. */
export const checkpointEvery = { events: 1000, microseconds: 3_600_000_000n } as const;
const witnessEveryMs = 1000;

export function createTrail(options: {
  readonly database: Database;
  readonly chain: Chain;
  readonly witness: Witness;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}): Trail {
  const { database, chain, logger } = options;
  const now = () => BigInt(Math.trunc((options.now ?? Date.now)())) * 1000n;
  const memory = createMemory(database, options.witness, logger);

  return {
    append: async (events) => {
      if (events.length === 0) return [];
      const { answers, head } = await database.transaction(async (sql) => {
        const { row, wasThere } = await lockOrBegin(sql, chain);
        const known = await trailStore.byIds(sql, [...new Set(events.map(({ id }) => id))]);
        const fresh = firstOfEach(events.filter(({ id }) => !known.has(id)));
        // With the row locked: what another process wrote down before it let go of the row is there.
        const furthest = await memory.furthest();
        const discontinuity = await discontinuityOf(sql, chain, row, wasThere, furthest);
        const written = fresh.length === 0 ? [] : await write(sql, chain, row, fresh, discontinuity, now());
        if (written.length > 0 && discontinuity !== undefined)
          logger[discontinuity.kind === 'broken' ? 'error' : 'warn'](
            { ...discontinuity },
            'The audit trail does not go on where it had come to; it says so itself.',
          );
        const all = new Map([...known, ...written.map(({ event }) => [event.id, event] as const)]);
        const last = written.at(-1);
        const head = last === undefined ? undefined : { seq: last.event.seq, hash: last.hash };
        // Before anybody else appends: they would take the trail, which may have become shorter, for one that was put back.
        if (head !== undefined && discontinuity !== undefined) await memory.beginAnew(sql, head);
        return { answers: events.map((event) => answerOf(event, all.get(event.id))), head };
      });
      if (head !== undefined) memory.note(head);
      return answers;
    },
    stop: memory.stop,
  };
}

function answerOf(event: NewEvent, there: AuditEvent | undefined): AuditEvent | 'taken' {
  if (there === undefined) throw new Error(`The event ${event.id} was not appended.`);
  return isSameEvent(event, there) ? there : 'taken';
}

const firstOfEach = (events: readonly NewEvent[]): readonly NewEvent[] =>
  [...new Map([...events].reverse().map((event) => [event.id, event] as const)).values()].reverse();

async function lockOrBegin(sql: TransactionSql, chain: Chain): Promise<{ row: TrailRow; wasThere: boolean }> {
  const row = await trailStore.lock(sql);
  if (row !== undefined) return { row, wasThere: true };
  const { genesis } = chain;
  const begun = await trailStore.begin(
    sql,
    genesis,
    chain.sign('base', genesis),
    chain.sign('head', genesis),
  );
  // Whoever began at the same moment and was first has written since.
  return { row: begun, wasThere: begun.head.seq > 0 };
}

/** Whether the trail ends where it was left, and where to go on if not. */
async function discontinuityOf(
  sql: TransactionSql,
  chain: Chain,
  row: TrailRow,
  wasThere: boolean,
  furthest: Link | undefined,
): Promise<Discontinuity | undefined> {
  const { head } = row;
  const isSigned = chain.isSigned('head', head, row.headMac);
  if (isSigned && row.restored) return { kind: 'restored', from: head, furthest };
  const last = wasThere ? undefined : await trailStore.last(sql);
  const reason = !isSigned
    ? 'head_changed'
    : last !== undefined
      ? 'trail_removed'
      : furthest !== undefined && isBehind(head, furthest)
        ? 'rolled_back'
        : undefined;
  if (reason === undefined) return undefined;
  const end = last ?? (await trailStore.last(sql)) ?? chain.genesis;
  const seq = Math.max(end.seq, furthest?.seq ?? 0);
  return { kind: 'broken', reason, from: { seq, hash: end.hash }, furthest };
}

const isBehind = (head: Link, furthest: Link): boolean =>
  head.seq < furthest.seq || (head.seq === furthest.seq && !equal(head.hash, furthest.hash));

async function write(
  sql: TransactionSql,
  chain: Chain,
  row: TrailRow,
  fresh: readonly NewEvent[],
  discontinuity: Discontinuity | undefined,
  receiveTime: bigint,
): Promise<readonly ChainedEvent[]> {
  const first =
    discontinuity === undefined
      ? []
      : [
          discontinuity.kind === 'restored'
            ? restoredTrail(discontinuity, receiveTime)
            : brokenTrail(discontinuity, receiveTime),
        ];
  let link = discontinuity?.from ?? row.head;
  const chained = [...first, ...fresh].map((told): ChainedEvent => {
    const event = { ...told, seq: link.seq + 1, receiveTime };
    const hash = chain.hashOf(event, link.hash);
    link = { seq: event.seq, hash };
    return { event, hash };
  });
  await trailStore.append(sql, chained);
  await trailStore.moveHead(sql, link, chain.sign('head', link));
  const isDue =
    link.seq - row.checkpointSeq >= checkpointEvery.events ||
    receiveTime - row.checkpointTime >= checkpointEvery.microseconds;
  if (isDue)
    await trailStore.addCheckpoint(sql, { link, mac: chain.sign('checkpoint', link), madeTime: receiveTime });
  return chained;
}

/** How far this process has seen the trail come, and, through the witness, others and those before it. */
function createMemory(database: Database, witness: Witness, logger: Logger) {
  let seen: Link | undefined;
  let kept = 0;
  let timer: NodeJS.Timeout | undefined;
  let keeping: Promise<void> = Promise.resolve();
  const couldNot = (error: unknown) =>
    logger.warn(`How far the audit trail has come could not be written down (${messageOf(error)}).`);
  const keep = () => {
    clearTimeout(timer);
    timer = undefined;
    const head = seen;
    if (head === undefined || head.seq === kept) return;
    kept = head.seq;
    keeping = keeping
      .then(() =>
        database.transaction(async (sql) => {
          await trailStore.lockWitness(sql);
          await witness.keep(head, 'forward');
        }),
      )
      .catch(couldNot);
  };
  return {
    async furthest(): Promise<Link | undefined> {
      if (seen !== undefined) return seen;
      return witness.recall().catch((error: unknown) => {
        logger.warn(`How far the audit trail had come cannot be read (${messageOf(error)}).`);
        return undefined;
      });
    },
    /** What is behind now has been restored or broken, and the event before `head` says so. */
    async beginAnew(sql: TransactionSql, head: Link) {
      await trailStore.lockWitness(sql);
      await witness.keep(head, 'anew').catch(couldNot);
    },
    note(head: Link) {
      seen = head;
      timer ??= setTimeout(keep, witnessEveryMs).unref();
    },
    async stop() {
      keep();
      await keeping;
    },
  };
}

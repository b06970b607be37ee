import type { TransactionSql } from '@haic/platform/database/port.ts';
import type { JSONValue } from 'postgres';
import type { EventJson, EventRequest } from '../client.ts';
import type { AnySql } from '../rows.ts';

export interface WaitingEvent extends EventRequest {
  readonly place: string;
}

export interface Backlog {
  readonly waiting: number;
  /** Milliseconds that the oldest one has waited; 0 when none waits. */
  readonly oldestMs: number;
  /** That the trail refused for good; they stay to be looked at. */
  readonly refused: number;
}

export const outboxStore = {
  async add(sql: AnySql, { eventId, event }: EventRequest, settled: boolean): Promise<void> {
    await sql`
      insert into audit_outbox.events (event_id, event, settled)
      values (${eventId}, ${sql.json(event as JSONValue)}, ${settled})`;
  },

  async addMany(sql: AnySql, requests: readonly EventRequest[]): Promise<void> {
    await sql`
      insert into audit_outbox.events (event_id, event, settled)
      select (request->>'eventId')::uuid, request->'event', true
      from jsonb_array_elements(${sql.json(requests as unknown as JSONValue)}) with ordinality as told (request, n)
      order by n`;
  },

  /** False when it is not there any more, or settled already. */
  async settle(sql: AnySql, eventId: string, changes: EventJson): Promise<boolean> {
    const { count } = await sql`
      update audit_outbox.events set settled = true, event = event || ${sql.json(changes as JSONValue)}
      where event_id = ${eventId} and not settled`;
    return count > 0;
  },

  async drop(sql: AnySql, eventId: string): Promise<void> {
    await sql`delete from audit_outbox.events where event_id = ${eventId} and not settled`;
  },

  /** What was begun that long ago and never ended: whoever did it is gone. */
  async settleAbandoned(sql: AnySql, afterMs: number, changes: EventJson): Promise<number> {
    const { count } = await sql`
      update audit_outbox.events set settled = true, event = event || ${sql.json(changes as JSONValue)}
      where not settled and told_at < now() - ${afterMs} * interval '1 millisecond'`;
    return count;
  },

  async hasWaiting(sql: AnySql): Promise<boolean> {
    const rows = await sql`
      select 1 from audit_outbox.events where settled and refused is null order by place limit 1`;
    return rows.length > 0;
  },

  /** Held until the transaction ends, and seen by nobody else until then. */
  async take(sql: TransactionSql, most: number): Promise<readonly WaitingEvent[]> {
    return sql<WaitingEvent[]>`
      select place, event_id as "eventId", event from audit_outbox.events
      where settled and refused is null order by place limit ${most} for update skip locked`;
  },

  async remove(sql: TransactionSql, places: readonly string[]): Promise<void> {
    await sql`delete from audit_outbox.events where place = any(${[...places]}::bigint[])`;
  },

  async refuse(sql: TransactionSql, place: string, why: string): Promise<void> {
    await sql`update audit_outbox.events set refused = ${why} where place = ${place}`;
  },

  async backlog(sql: AnySql, most: number): Promise<Backlog> {
    const [row] = await sql<{ waiting: number; oldest: number; refused: number }[]>`
      select count(*)::int as waiting,
        coalesce(extract(epoch from now() - min(told_at)) * 1000, 0)::float8 as oldest,
        (select count(*) from audit_outbox.events where refused is not null)::int as refused
      from (select told_at from audit_outbox.events where settled and refused is null order by place limit ${most}) w`;
    return { waiting: row?.waiting ?? 0, oldestMs: Math.round(row?.oldest ?? 0), refused: row?.refused ?? 0 };
  },
};

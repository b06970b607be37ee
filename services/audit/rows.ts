import type { Sql, TransactionSql } from '@haic/platform/database/port.ts';
import type { JSONValue } from 'postgres';
import type { AuditEvent, EventType } from './model.ts';

export type AnySql = Sql | TransactionSql;

const types: readonly EventType[] = ['unspecified', 'api', 'system'];
export const numberOfType = (type: EventType): number => types.indexOf(type);

/** Bigints arrive as texts. */
export interface EventRow {
  readonly seq: string;
  readonly id: string;
  readonly event_time: string;
  readonly receive_time: string;
  readonly source: string;
  readonly action: string;
  readonly read_only: boolean;
  readonly status_code: number | null;
  readonly status_message: string | null;
  readonly principal: string;
  readonly source_address: string;
  readonly resource: string;
  readonly request_parameters: Readonly<Record<string, string>>;
  readonly user_agent: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly type: number;
  readonly hash: Buffer;
}

export const toEvent = (row: EventRow): AuditEvent => ({
  seq: Number(row.seq),
  id: row.id,
  eventTime: BigInt(row.event_time),
  receiveTime: BigInt(row.receive_time),
  source: row.source,
  action: row.action,
  readOnly: row.read_only,
  status: row.status_code === null ? undefined : { code: row.status_code, message: row.status_message ?? '' },
  principal: row.principal,
  sourceAddress: row.source_address,
  resource: row.resource,
  requestParameters: row.request_parameters,
  userAgent: row.user_agent,
  metadata: row.metadata,
  workspace: row.workspace,
  type: types[row.type] ?? 'unspecified',
});

export function toRow(sql: AnySql, event: AuditEvent, hash: Buffer) {
  return {
    seq: event.seq,
    id: event.id,
    event_time: event.eventTime.toString(),
    receive_time: event.receiveTime.toString(),
    source: event.source,
    action: event.action,
    read_only: event.readOnly,
    status_code: event.status?.code ?? null,
    status_message: event.status?.message ?? null,
    principal: event.principal,
    source_address: event.sourceAddress,
    resource: event.resource,
    request_parameters: sql.json(event.requestParameters as JSONValue),
    user_agent: event.userAgent,
    metadata: sql.json(event.metadata as JSONValue),
    workspace: event.workspace,
    type: numberOfType(event.type),
    hash,
  };
}

import { writeJson } from '@haic/kit/grpc-gateway/json-out.ts';
import { usualRules } from '@haic/kit/grpc-gateway/service.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { Filter } from './filter.ts';
import { EventSchema } from './gen/ai/h2o/audittrail/v1/audit_trail_pb.js';
import type { NamesOf } from './login-names.ts';
import type { AuditEvent } from './model.ts';
import { type LoginNames, wireEvent } from './present.ts';
import { searchEvents } from './search.ts';
import { isoOf } from './times.ts';

export type ExportFormat = 'ndjson' | 'csv';

const atOnce = 1000;
/** Nobody waits for a page here. */
const effort = { milliseconds: 2_000, events: 50_000, matched: 5_000 };

/** All that matches, newest first, as text; in bounded memory, however much it is. */
export async function* exportEvents(options: {
  readonly database: Database;
  readonly filter: Filter;
  readonly namesOf: NamesOf;
  readonly format: ExportFormat;
  readonly signal: AbortSignal;
}): AsyncGenerator<string> {
  const { database, filter, namesOf, format, signal } = options;
  const lineOf = format === 'csv' ? csvLine : jsonLine;
  if (format === 'csv') yield `${columns.map(([name]) => name).join(',')}\r\n`;
  let token: string | undefined = '';
  while (token !== undefined) {
    const page = await searchEvents(database, filter, { size: atOnce, token, signal }, effort);
    const names = await namesOf(page.events.map(({ principal }) => principal));
    if (page.events.length > 0) yield page.events.map((event) => lineOf(event, names)).join('');
    token = page.nextPageToken;
  }
}

const jsonLine = (event: AuditEvent, names: LoginNames): string =>
  `${writeJson(EventSchema, wireEvent(event, names), usualRules)}\n`;

type Column = readonly [name: string, of: (event: AuditEvent, names: LoginNames) => string];

const columns: readonly Column[] = [
  ['eventTime', ({ eventTime }) => isoOf(eventTime)],
  ['loginPrincipal', ({ principal }, names) => names.get(principal) ?? ''],
  ['principal', ({ principal }) => principal],
  ['action', ({ action }) => action],
  ['resource', ({ resource }) => resource],
  ['workspace', ({ workspace }) => workspace],
  ['readOnly', ({ readOnly }) => String(readOnly)],
  ['statusCode', ({ status }) => (status === undefined ? '' : String(status.code))],
  ['statusMessage', ({ status }) => status?.message ?? ''],
  ['sourceIpAddress', ({ sourceAddress }) => sourceAddress],
  ['userAgent', ({ userAgent }) => userAgent],
  ['eventSource', ({ source }) => source],
  ['type', ({ type }) => `TYPE_${type.toUpperCase()}`],
  ['requestParameters', ({ requestParameters }) => mapText(requestParameters)],
  ['metadata', ({ metadata }) => mapText(metadata)],
  ['receiveTime', ({ receiveTime }) => isoOf(receiveTime)],
  ['name', ({ id }) => `events/${id}`],
];

const mapText = (map: Readonly<Record<string, string>>): string =>
  Object.keys(map).length === 0 ? '' : JSON.stringify(map);

const csvLine = (event: AuditEvent, names: LoginNames): string =>
  `${columns.map(([, of]) => csvCell(of(event, names))).join(',')}\r\n`;

/**
 * RFC 4180, and no formula: what begins with one of these signs is computed by spreadsheets when the file is opened, and a user agent is what anybody
 * sends.
 */
export function csvCell(text: string): string {
  const safe = /^[\s]*[=+\-@|\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

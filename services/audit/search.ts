import { pageTokenOf, placeAfter } from '@haic/kit/http/paging.ts';
import type { Database, Sql } from '@haic/platform/database/port.ts';
import { compileExpression } from './expression.ts';
import { digestOf, type Filter, type TextField, textFields } from './filter.ts';
import { likeOf } from './literal.ts';
import { type Looked, matcherOf } from './matcher.ts';
import type { AuditEvent } from './model.ts';
import { wrongFilter } from './refusals.ts';
import { type EventRow, numberOfType, toEvent } from './rows.ts';

export interface Page {
  readonly events: readonly AuditEvent[];
  /** Undefined at the end. */
  readonly nextPageToken: string | undefined;
  /** Microseconds since the epoch: what happened since then was looked at. */
  readonly searchedUntil: bigint;
}

export interface SearchEffort {
  /** Milliseconds after which a page is answered as it is. */
  readonly milliseconds: number;
  /** Events that one statement looks at, at most; fewer where an expression is to be matched, since those come here. */
  readonly events: number;
  readonly matched: number;
}

/** A page is short rather than late: what matches one event in a million is followed page by page. */
export const usualEffort: SearchEffort = { milliseconds: 60, events: 15_000, matched: 3_000 };

/** Goes back in time from `filter.end`, or from where the page before has ended. */
export async function searchEvents(
  { sql }: Database,
  filter: Filter,
  page: { readonly size: number; readonly token: string; readonly signal: AbortSignal },
  effort: SearchEffort = usualEffort,
): Promise<Page> {
  const digest = digestOf(filter);
  const matches = matcherOf(filter);
  const most = isSortedOutThere(filter) ? effort.events : effort.matched;
  const isLate = lateAfter(effort.milliseconds);
  const found: Place[] = [];
  let place = placeOf(page.token, digest);
  let chunk = Math.min(most, page.size * 2 + 100);
  for (;;) {
    page.signal.throwIfAborted();
    const scan = await scanBack(sql, filter, place, chunk);
    for (const row of scan) {
      place = { time: row.event_time, seq: row.seq };
      if (row.hit && (matches === undefined || matches(row))) found.push(place);
      if (found.length === page.size || isLate()) break;
    }
    const last = scan.at(-1);
    // Fewer than were asked for, and all of them looked at.
    if (last === undefined || (Number(last.n) < chunk && last.seq === place?.seq))
      return { events: await eventsAt(sql, found), nextPageToken: undefined, searchedUntil: filter.start };
    if (place !== undefined && (found.length === page.size || isLate()))
      return {
        events: await eventsAt(sql, found),
        nextPageToken: pageTokenOf(place.time, place.seq, digest),
        searchedUntil: BigInt(place.time),
      };
    chunk = Math.min(most, chunk * 8);
  }
}

function lateAfter(milliseconds: number): () => boolean {
  const until = performance.now() + milliseconds;
  return () => performance.now() > until;
}

/** Where a search has come to, as the database writes it. */
interface Place {
  /** Microseconds since the epoch. */
  readonly time: string;
  readonly seq: string;
}

function placeOf(token: string, digest: string): Place | undefined {
  const place = placeAfter(token, /^-?\d{1,18}$/, /^\d{1,15}$/, /^[0-9a-f]{16}$/);
  if (place === undefined) return undefined;
  const [time = '', seq = '', of] = place;
  if (of !== digest)
    throw wrongFilter('the pageToken belongs to a search with another filter. Start again without it.');
  return { time, seq };
}

type Scanned = Looked & {
  readonly event_time: string;
  readonly seq: string;
  /** Which one it is of those that were looked at. */
  readonly n: string;
  /** Whether everything but expressions matches. */
  readonly hit: boolean;
};

const columns: Readonly<Record<TextField, string>> = {
  resource: 'resource',
  principal: 'principal',
  sourceIpAddress: 'source_address',
  workspace: 'workspace',
  action: 'action',
  eventSource: 'source',
};

/**
 * Looks at the next `chunk` events that one index leads to, newest first: those that match, and the last one in any case, since that is how far
 * it has come. So a statement's work is bounded, however rare a match is.
 */
async function scanBack(
  sql: Sql,
  filter: Filter,
  place: Place | undefined,
  chunk: number,
): Promise<readonly Scanned[]> {
  const led = textFields.find((field) => filter.exact[field] !== undefined);
  const others = textFields.filter((field) => field !== led);
  const has = (field: TextField) => sql`${sql(columns[field])} = ${filter.exact[field] ?? ''}`;
  const from = place ?? { time: filter.end.toString(), seq: '0' };
  const hits = [
    ...textFields.flatMap((field) => {
      const like = likeOf(filter.regex[field] ?? '');
      return like === undefined ? [] : [sql`${sql(columns[field])} ilike ${like}`];
    }),
    ...others.filter((field) => filter.exact[field] !== undefined).map(has),
    ...(filter.readOnly === undefined ? [] : [sql`read_only = ${filter.readOnly}`]),
    ...(Object.keys(filter.metadataExact).length === 0
      ? []
      : [sql`metadata @> ${sql.json(filter.metadataExact)}`]),
    ...(filter.includeTypes.length === 0
      ? []
      : [sql`type = any(${numbers(filter.includeTypes)}::smallint[])`]),
    ...(filter.excludeTypes.length === 0
      ? []
      : [sql`type <> all(${numbers(filter.excludeTypes)}::smallint[])`]),
  ];
  const hit = hits.reduce((all, one) => sql`${all} and ${one}`, sql`true`);
  return sql<Scanned[]>`
    with looked as materialized (
      select seq, event_time, source, action, status_code, principal, source_address, resource, metadata, workspace,
        ${hit} as hit, row_number() over (order by event_time desc, seq desc) as n
      from audit.events
      where (event_time, seq) < (${from.time}::bigint, ${from.seq}::bigint)
        and event_time >= ${filter.start.toString()}::bigint
        ${led === undefined ? sql`` : sql`and ${has(led)}`}
        ${isOfFailures(filter) ? sql`and status_code is not null` : sql``}
      order by event_time desc, seq desc
      limit ${chunk}
    )
    select * from looked where hit or n = (select max(n) from looked) order by n`;
}

/** Whether few of the events that do not match come here to be matched. */
const isSortedOutThere = ({ regex, metadataRegex }: Filter): boolean =>
  Object.keys(metadataRegex).length === 0 &&
  Object.entries(regex).every(([field, source]) => field === 'statusCode' || likeOf(source) !== undefined);

const numbers = (types: Filter['includeTypes']) => types.map(numberOfType);

/** Most events have no status, and an index knows those that have. */
const isOfFailures = ({ regex }: Filter): boolean =>
  regex.statusCode !== undefined && !compileExpression('statusCodeRegex', regex.statusCode)('');

async function eventsAt(sql: Sql, places: readonly Place[]): Promise<readonly AuditEvent[]> {
  if (places.length === 0) return [];
  const rows = await sql<EventRow[]>`
    select * from audit.events where seq = any(${places.map(({ seq }) => seq)}::bigint[])
    order by event_time desc, seq desc`;
  return rows.map(toEvent);
}

import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { statusOf, toRpcError } from '@haic/kit/grpc-gateway/errors.ts';
import { type Filter, usualStart } from './filter.ts';
import {
  type BatchCreateEventsResponseSchema,
  type CreateEventRequest,
  Event_Type,
  EventSchema,
  type SearchEventsResponseSchema,
  type Event as WireEvent,
  type Filter as WireFilter,
} from './gen/ai/h2o/audittrail/v1/audit_trail_pb.js';
import type { AuditEvent, EventType, ToldEvent } from './model.ts';
import { wrongEvent, wrongFilter } from './refusals.ts';
import type { Page } from './search.ts';
import type { Batch } from './service.ts';
import { microsecondsOf, timestampOf } from './times.ts';

/** What people know principals by; those that nobody knows any more are not among them. */
export type LoginNames = ReadonlyMap<string, string>;

const wireTypes: Readonly<Record<EventType, Event_Type>> = {
  unspecified: Event_Type.UNSPECIFIED,
  api: Event_Type.API,
  system: Event_Type.SYSTEM,
};

const typeOf = (type: Event_Type): EventType =>
  type === Event_Type.API ? 'api' : type === Event_Type.SYSTEM ? 'system' : 'unspecified';

export function toldEvent({ eventId, event }: Pick<CreateEventRequest, 'eventId' | 'event'>): ToldEvent {
  if (event === undefined) throw wrongEvent('event is missing.');
  if (event.eventTime === undefined) throw wrongEvent('eventTime is missing.');
  return {
    id: eventId,
    eventTime: microsecondsOf(event.eventTime),
    source: event.eventSource,
    action: event.action,
    readOnly: event.readOnly,
    status:
      event.status === undefined ? undefined : { code: event.status.code, message: event.status.message },
    principal: event.principal,
    sourceAddress: event.sourceIpAddress,
    resource: event.resource,
    requestParameters: event.requestParameters,
    userAgent: event.userAgent,
    metadata: event.metadata,
    workspaceOverride: event.workspaceOverride,
    type: typeOf(event.type),
  };
}

export const wireEvent = (event: AuditEvent, names: LoginNames): WireEvent =>
  create(EventSchema, {
    name: `events/${event.id}`,
    eventTime: timestampOf(event.eventTime),
    receiveTime: timestampOf(event.receiveTime),
    eventSource: event.source,
    action: event.action,
    readOnly: event.readOnly,
    ...(event.status === undefined ? {} : { status: { ...event.status } }),
    principal: event.principal,
    loginPrincipal: names.get(event.principal) ?? '',
    sourceIpAddress: event.sourceAddress,
    resource: event.resource,
    requestParameters: { ...event.requestParameters },
    userAgent: event.userAgent,
    metadata: { ...event.metadata },
    workspace: event.workspace,
    type: wireTypes[event.type],
  });

export const wireBatch = (
  { events, failed }: Batch,
  names: LoginNames,
): MessageInitShape<typeof BatchCreateEventsResponseSchema> => ({
  events: events.map((event) => wireEvent(event, names)),
  failedRequests: Object.fromEntries(
    [...failed].map(([index, error]) => {
      const { code, message } = statusOf(toRpcError(error));
      return [index, { code, message }];
    }),
  ),
});

export const wirePage = (
  { events, nextPageToken, searchedUntil }: Page,
  names: LoginNames,
): MessageInitShape<typeof SearchEventsResponseSchema> => ({
  events: events.map((event) => wireEvent(event, names)),
  nextPageToken: nextPageToken ?? '',
  searchedUntilTime: timestampOf(searchedUntil),
});

/** `now` in microseconds since the epoch. */
export function filterOf(wire: WireFilter | undefined, now: bigint): Filter {
  const start = wire?.startEventTime === undefined ? usualStart : microsecondsOf(wire.startEventTime);
  const end = wire?.endEventTime === undefined ? now : microsecondsOf(wire.endEventTime);
  if (wire?.startEventTime !== undefined && wire.endEventTime !== undefined && start > end)
    throw wrongFilter('startEventTime is after endEventTime.');
  return {
    start,
    end,
    exact: given({
      resource: wire?.resourceExact,
      principal: wire?.principalExact,
      sourceIpAddress: wire?.sourceIpAddressExact,
      workspace: wire?.workspaceExact,
      action: wire?.actionExact,
      eventSource: wire?.eventSourceExact,
    }),
    regex: given({
      resource: wire?.resourceRegex,
      principal: wire?.principalRegex,
      sourceIpAddress: wire?.sourceIpAddressRegex,
      workspace: wire?.workspaceRegex,
      action: wire?.actionRegex,
      eventSource: wire?.eventSourceRegex,
      statusCode: wire?.statusCodeRegex,
    }),
    readOnly: wire?.readOnly,
    metadataExact: wire?.metadataExact ?? {},
    metadataRegex: wire?.metadataRegex ?? {},
    includeTypes: (wire?.includeTypes ?? []).map(typeOf),
    excludeTypes: (wire?.excludeTypes ?? []).map(typeOf),
  };
}

/** Nobody is searched for by what no event can have, and the database need not be asked with it. */
function given<K extends string>(texts: Readonly<Record<K, string | undefined>>): Partial<Record<K, string>> {
  const known: Partial<Record<K, string>> = {};
  for (const name in texts) {
    const text = texts[name];
    if (text === undefined) continue;
    if (text.includes('\0') || !text.isWellFormed()) throw wrongFilter(`${name} has signs that are no text.`);
    known[name] = text;
  }
  return known;
}

import { useInfiniteQuery } from '@tanstack/react-query';
import { queryString } from '../api/http.ts';
import { callService } from '../api/services.ts';

/** As the audit trail gives it (`ai.h2o.audittrail.v1.Event`). */
export interface AuditEvent {
  readonly name: string;
  readonly eventTime: string;
  readonly receiveTime: string;
  readonly eventSource: string;
  readonly action: string;
  readonly readOnly: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly principal: string;
  readonly loginPrincipal: string;
  readonly sourceIpAddress: string;
  readonly resource: string;
  readonly requestParameters: Readonly<Record<string, string>>;
  readonly userAgent: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly type: string;
}

export interface AuditFilter {
  readonly startEventTime?: string;
  readonly endEventTime?: string;
  readonly principalExact?: string;
  readonly principalRegex?: string;
  readonly actionRegex?: string;
  readonly resourceRegex?: string;
  readonly workspaceExact?: string;
  readonly statusCodeRegex?: string;
  readonly readOnly?: boolean;
}

interface EventsPage {
  readonly events: readonly AuditEvent[];
  readonly nextPageToken: string;
  /** What happened since then was looked at. */
  readonly searchedUntilTime: string;
}

const pageSize = 50;

export const useAuditEvents = (filter: AuditFilter, isReady: boolean) =>
  useInfiniteQuery({
    queryKey: ['audit-events', filter],
    queryFn: ({ pageParam, signal }) =>
      callService<EventsPage>('audit-trail', '/v1/events:search', {
        method: 'POST',
        body: { filter, pageSize, pageToken: pageParam },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => (page.nextPageToken === '' ? undefined : page.nextPageToken),
    enabled: isReady,
  });

/** All that matches, as a file: a link, so that the browser streams it to the disk. */
export const exportAddress = (filter: AuditFilter, format: 'csv' | 'ndjson'): string =>
  `/api/v1/audit-events/export${queryString({ format, filter: JSON.stringify(filter) })}`;

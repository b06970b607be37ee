import { Skeleton, Stack, Text } from '@mantine/core';
import { useEffect } from 'react';
import { useMe } from '../api/queries.ts';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { AuditFilters, ExportMenu } from './audit-filters.tsx';
import { EventList } from './event-list.tsx';
import { useAuditEvents } from './events.ts';
import { whoOf } from './sentence.ts';
import { useAuditFilter } from './use-audit-filter.ts';

/** For administrators: what everybody did. */
export const AuditPage = () => (
  <Events
    title="Audit trail"
    hint="What happened on this platform, and who did it, newest first. Nothing here can be changed or removed."
    own={undefined}
  />
);

/** For everybody: what was done in their name. */
export function MyActivityPage() {
  const me = useMe();
  return (
    <Events
      title="My activity"
      hint="What was done in your name, newest first. Something that was not you? Change your password and end your sessions."
      own={me.data === undefined ? '' : `users/${me.data.subject}`}
    />
  );
}

/** Pages that found nothing while there is more are followed without being asked, but not for ever. */
const followedByItself = 20;

function Events({ title, hint, own }: { title: string; hint: string; own: string | undefined }) {
  const filters = useAuditFilter(own);
  const found = useAuditEvents(filters.filter, own !== '');
  const pages = found.data?.pages ?? [];
  const events = pages.flatMap((page) => page.events);
  const { hasNextPage, isFetching, fetchNextPage, isError } = found;
  const goesOn = events.length === 0 && hasNextPage && pages.length < followedByItself;
  useEffect(() => {
    if (goesOn && !isFetching && !isError) void fetchNextPage();
  }, [goesOn, isFetching, isError, fetchNextPage]);
  const first = events[0];
  const until = pages.at(-1)?.searchedUntilTime;
  return (
    <>
      <PageHeader title={title} hint={hint} actions={<ExportMenu filter={filters.filter} />} />
      <Stack gap="lg">
        <AuditFilters filters={filters} personName={first === undefined ? 'one person' : whoOf(first)} />
        {isError && <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />}
        {(found.isPending || goesOn) && !isError && (
          <Skeleton h={240} radius={12} aria-busy="true" aria-label="Looking back in time" />
        )}
        <EventList events={events} own={own !== undefined} onFilter={filters.set} />
        {found.isSuccess && events.length === 0 && !goesOn && (
          <Empty title="Nothing found">
            {filters.isFiltered ? 'No event matches these filters.' : 'Nothing has been recorded yet.'}
          </Empty>
        )}
        {hasNextPage && !goesOn && until !== undefined && (
          <Text size="sm" c="dimmed" ta="center" role="status">
            Looked back to {new Date(until).toLocaleString()}
          </Text>
        )}
        <More of={found} />
      </Stack>
    </>
  );
}

import { Stack } from '@mantine/core';
import { useEffect } from 'react';
import { useApps, useMe } from '../api/queries.ts';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { AppGrid, AppGridLoading } from './app-grid.tsx';
import { ImportButton, NoApps, NothingFound } from './no-apps.tsx';
import { useRunningByApp } from './running.ts';

const wantedItems = 12;

/** The apps one has imported, whoever sees them, each version by itself: each is shared and deleted by itself. */
export function MyAppsPage() {
  const query = useSearchParam();
  const apps = useApps({ query, allVersions: true });
  const me = useMe();
  const running = useRunningByApp();
  const subject = me.data?.subject;
  const items = (apps.data?.pages.flatMap((page) => page.items) ?? []).filter(
    (app) => app.owner.subject === subject,
  );
  const { hasNextPage, isFetching, fetchNextPage } = apps;
  const tooFew = subject !== undefined && items.length < wantedItems;
  // A page may hold few apps of one's own among those of others: go on until there is something to show.
  useEffect(() => {
    if (tooFew && hasNextPage && !isFetching) void fetchNextPage();
  }, [tooFew, hasNextPage, isFetching, fetchNextPage]);

  const loaded = apps.isSuccess && subject !== undefined;

  return (
    <>
      <PageHeader title="My apps" hint="Apps that you imported." actions={<ImportButton />} />
      <Stack gap="lg">
        <SearchField label="Search my apps" />
        {apps.isError && <ProblemNotice error={apps.error} onRetry={() => void apps.refetch()} />}
        {!loaded && !apps.isError && <AppGridLoading />}
        {loaded && (items.length > 0 || apps.hasNextPage) && (
          <AppGrid apps={apps} items={items} running={running} showVisibility />
        )}
        {loaded && items.length === 0 && !apps.hasNextPage && query !== '' && <NothingFound query={query} />}
        {loaded && items.length === 0 && !apps.hasNextPage && query === '' && (
          <NoApps title="You have not imported an app yet" mayImport />
        )}
      </Stack>
    </>
  );
}

import { Stack } from '@mantine/core';
import { useApps } from '../api/queries.ts';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { AppGrid, AppGridLoading } from './app-grid.tsx';
import { ImportButton, NoApps, NothingFound } from './no-apps.tsx';
import { useRunningByApp } from './running.ts';

/** The apps one has imported, whoever sees them, each version by itself: each is shared and deleted by itself. */
export function MyAppsPage() {
  const query = useSearchParam();
  const apps = useApps({ query, mine: true });
  const running = useRunningByApp();
  const items = apps.data?.pages.flatMap((page) => page.items) ?? [];

  return (
    <>
      <PageHeader title="My apps" hint="Apps that you imported." actions={<ImportButton />} />
      <Stack gap="lg">
        <SearchField label="Search my apps" />
        {apps.isError && <ProblemNotice error={apps.error} onRetry={() => void apps.refetch()} />}
        {apps.isPending && <AppGridLoading />}
        {apps.isSuccess && items.length > 0 && (
          <AppGrid apps={apps} items={items} running={running} showVisibility />
        )}
        {apps.isSuccess && items.length === 0 && query !== '' && <NothingFound query={query} />}
        {apps.isSuccess && items.length === 0 && query === '' && (
          <NoApps title="You have not imported an app yet" mayImport />
        )}
      </Stack>
    </>
  );
}

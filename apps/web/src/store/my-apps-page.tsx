import { Stack } from '@mantine/core';
import { useApps, useMe } from '../api/queries.ts';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { AppGrid, AppGridLoading } from './app-grid.tsx';
import { ImportButton, NoApps, NothingFound } from './no-apps.tsx';
import { useRunningByApp } from './running.ts';

/** The apps one has imported, whoever sees them. */
export function MyAppsPage() {
  const query = useSearchParam();
  const apps = useApps({ query, mine: true });
  const me = useMe();
  const running = useRunningByApp();
  const subject = me.data?.subject;
  const items = (apps.data?.pages.flatMap((page) => page.items) ?? []).filter(
    (app) => app.owner.subject === subject,
  );
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

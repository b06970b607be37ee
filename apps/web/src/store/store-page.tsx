import { Stack } from '@mantine/core';
import { useApps, useMe } from '../api/queries.ts';
import { Announce } from '../components/copy.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { AppGrid, AppGridLoading } from './app-grid.tsx';
import { ImportButton, NoApps, NothingFound } from './no-apps.tsx';
import { useRunningByApp } from './running.ts';

export function StorePage() {
  const query = useSearchParam();
  const apps = useApps({ query });
  const me = useMe();
  const running = useRunningByApp();
  const items = apps.data?.pages.flatMap((page) => page.items) ?? [];
  const mayImport = me.data?.fullAccess === true;

  return (
    <>
      <PageHeader
        title="App Store"
        hint="Apps that you may run and open."
        actions={mayImport ? <ImportButton /> : undefined}
      />
      <Stack gap="lg">
        <SearchField label="Search apps" />
        {apps.isError && <ProblemNotice error={apps.error} onRetry={() => void apps.refetch()} />}
        {apps.isPending && <AppGridLoading />}
        {apps.isSuccess && items.length > 0 && <AppGrid apps={apps} items={items} running={running} />}
        {apps.isSuccess && items.length === 0 && query !== '' && <NothingFound query={query} />}
        {apps.isSuccess && items.length === 0 && query === '' && (
          <NoApps title="The store is empty" mayImport={mayImport} />
        )}
      </Stack>
      <Announce
        text={
          query !== '' && apps.isSuccess && !apps.isPlaceholderData
            ? `${items.length}${apps.hasNextPage ? ' or more' : ''} apps found`
            : ''
        }
      />
    </>
  );
}

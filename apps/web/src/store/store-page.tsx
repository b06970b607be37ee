import { Stack } from '@mantine/core';
import { useApps, useMe } from '../api/queries.ts';
import { Announce } from '../components/copy.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { AppGrid, AppGridLoading } from './app-grid.tsx';
import { ImportButton, NoApps, NothingFound } from './no-apps.tsx';
import { useRunningByApp } from './running.ts';
import { TagFilter, useTagParam } from './tag-filter.tsx';

export function StorePage() {
  const query = useSearchParam();
  const tag = useTagParam();
  const apps = useApps({ query, tag });
  const me = useMe();
  const running = useRunningByApp();
  const items = apps.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = query !== '' || tag !== undefined;
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
        <TagFilter apps={items} />
        {apps.isError && <ProblemNotice error={apps.error} onRetry={() => void apps.refetch()} />}
        {apps.isPending && <AppGridLoading />}
        {apps.isSuccess && items.length > 0 && <AppGrid apps={apps} items={items} running={running} />}
        {apps.isSuccess && items.length === 0 && isFiltered && <NothingFound query={query} tag={tag} />}
        {apps.isSuccess && items.length === 0 && !isFiltered && (
          <NoApps title="The store is empty" mayImport={mayImport} />
        )}
      </Stack>
      <Announce
        text={
          isFiltered && apps.isSuccess && !apps.isPlaceholderData
            ? `${items.length}${apps.hasNextPage ? ' or more' : ''} apps found`
            : ''
        }
      />
    </>
  );
}

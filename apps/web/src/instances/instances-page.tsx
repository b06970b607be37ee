import { Button, Center, Skeleton, Stack } from '@mantine/core';
import { Link } from 'react-router';
import { useInstances } from '../api/queries.ts';
import { Empty } from '../components/empty.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { NothingFound } from '../store/no-apps.tsx';
import { InstanceList } from './instance-list.tsx';

export function InstancesPage() {
  const query = useSearchParam();
  const instances = useInstances({ query });
  const items = instances.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHeader title="My instances" hint="What you run, newest first." />
      <Stack gap="lg">
        <SearchField label="Search my instances" />
        {instances.isError && (
          <ProblemNotice error={instances.error} onRetry={() => void instances.refetch()} />
        )}
        {instances.isPending && (
          <Skeleton h={180} radius={12} aria-busy="true" aria-label="Loading instances" />
        )}
        {items.length > 0 && <InstanceList instances={items} label="My instances" />}
        {instances.isSuccess && items.length === 0 && query !== '' && <NothingFound query={query} />}
        {instances.isSuccess && items.length === 0 && query === '' && (
          <Empty title="You run nothing just now">
            <Button component={Link} to="/" mt="xs">
              To the App Store
            </Button>
          </Empty>
        )}
        {instances.hasNextPage && (
          <Center>
            <Button
              variant="default"
              onClick={() => void instances.fetchNextPage()}
              loading={instances.isFetchingNextPage}
            >
              Show more
            </Button>
          </Center>
        )}
      </Stack>
    </>
  );
}

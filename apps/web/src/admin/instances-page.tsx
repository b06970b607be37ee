import { Group, Skeleton, Stack } from '@mantine/core';
import type { InstanceStatus } from '../api/types.ts';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { statusLabel } from '../components/status.tsx';
import { Chips, Choice, useFilter } from './filters.tsx';
import { AdminInstanceTable } from './instance-table.tsx';
import { useAllInstances } from './store.ts';

const statuses: readonly InstanceStatus[] = [
  'PENDING',
  'STARTING',
  'DEPLOYED',
  'FAILED',
  'SUSPENDED',
  'TERMINATING',
];

export function AdminInstancesPage() {
  const query = useSearchParam();
  const [owner, setOwner] = useFilter('owner');
  const [appId, setApp] = useFilter('app');
  const [status, setStatus] = useFilter('status');
  const instances = useAllInstances({ query, owner, appId, status: status as InstanceStatus | '' });
  const items = instances.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = [query, owner, appId, status].some((one) => one !== '');
  const app = items.find((instance) => instance.app.id === appId)?.app;
  return (
    <>
      <PageHeader title="All instances" hint="What everybody runs or has paused, newest first." />
      <Stack gap="lg">
        <Group gap="sm">
          <div style={{ flex: '1 1 240px', maxWidth: 420 }}>
            <SearchField label="Search all instances" />
          </div>
          <Choice
            label="Status"
            value={status}
            onChange={setStatus}
            options={statuses.map((value) => ({ value, label: statusLabel(value) }))}
          />
        </Group>
        <Chips
          chips={[
            { label: 'Owner', value: owner, onClear: () => setOwner('') },
            {
              label: 'App',
              value: appId === '' ? '' : app === undefined ? 'one version' : `${app.title} ${app.version}`,
              onClear: () => setApp(''),
            },
          ]}
        />
        {instances.isError && (
          <ProblemNotice error={instances.error} onRetry={() => void instances.refetch()} />
        )}
        {instances.isPending && (
          <Skeleton h={240} radius={12} aria-busy="true" aria-label="Loading instances" />
        )}
        {items.length > 0 && <AdminInstanceTable instances={items} />}
        {instances.isSuccess && items.length === 0 && (
          <Empty title={isFiltered ? 'No such instance' : 'Nothing runs'}>
            {isFiltered
              ? 'Part of the app’s title or name, the owner’s name or the id was searched, within the filters above.'
              : 'Nobody runs or has paused an app.'}
          </Empty>
        )}
        <More of={instances} />
      </Stack>
    </>
  );
}

import { Button, Center, Group, SegmentedControl, Skeleton, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { useInstances, useMe } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { InstanceList } from '../instances/instance-list.tsx';

/** The instances of this version: one's own, or all that one may see. */
export function AppInstances({ app }: { app: App }) {
  const [which, setWhich] = useState<'mine' | 'all'>('mine');
  const me = useMe();
  const instances = useInstances({ appId: app.id, all: which === 'all' });
  const items = instances.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-label="Instances">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          Instances
        </Title>
        {me.data?.fullAccess === true && (
          <SegmentedControl
            size="xs"
            aria-label="Which instances"
            value={which}
            onChange={(value) => setWhich(value === 'all' ? 'all' : 'mine')}
            data={[
              { value: 'mine', label: 'My instances' },
              { value: 'all', label: 'All instances' },
            ]}
          />
        )}
      </Group>
      {instances.isPending && <Skeleton h={64} radius={12} />}
      {instances.isError && (
        <ProblemNotice error={instances.error} onRetry={() => void instances.refetch()} />
      )}
      {instances.isSuccess && items.length === 0 && (
        <Text c="dimmed" size="sm">
          {which === 'mine'
            ? 'You run no instance of this version.'
            : 'No instance of this version is visible to you.'}
        </Text>
      )}
      {items.length > 0 && (
        <InstanceList instances={items} showOwner={which === 'all'} label={`Instances of ${app.title}`} />
      )}
      {instances.hasNextPage && (
        <Center mt="md">
          <Button
            variant="default"
            onClick={() => void instances.fetchNextPage()}
            loading={instances.isFetchingNextPage}
          >
            Show more
          </Button>
        </Center>
      )}
    </section>
  );
}

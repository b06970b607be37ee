import { Button, Skeleton, Stack } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useMe } from '../api/queries.ts';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { NewClientForm } from './client-form.tsx';
import { useClients } from './client-queries.ts';
import { ClientTable } from './client-table.tsx';

/** What Haic is at other providers. Whoever is no administrator sees what there is. */
export function ClientsPage() {
  const isAdmin = useMe().data?.isAdmin === true;
  const query = useSearchParam();
  const clients = useClients(query);
  const [making, setMaking] = useState(false);
  const items = clients.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHeader
        title="OAuth clients"
        hint="What Haic is at other identity providers, so that people connect their accounts there."
        actions={
          isAdmin && (
            <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setMaking(true)}>
              Register a client
            </Button>
          )
        }
      />
      <Stack gap="lg">
        <SearchField label="Search OAuth clients" />
        <ProblemNotice error={clients.error} onRetry={() => void clients.refetch()} />
        {clients.isPending && (
          <Skeleton h={160} radius={12} aria-busy="true" aria-label="Loading OAuth clients" />
        )}
        {items.length > 0 && <ClientTable clients={items} mayChange={isAdmin} />}
        {clients.isSuccess && items.length === 0 && (
          <Empty title={query === '' ? 'No OAuth clients yet' : `Nothing found for “${query}”`}>
            {query === ''
              ? 'Register Haic at a provider, and enter here what it gave you: people then connect their accounts there.'
              : 'Part of the id, the name and the issuer was searched.'}
          </Empty>
        )}
        <More of={clients} />
      </Stack>
      {making && <NewClientForm onClose={() => setMaking(false)} />}
    </>
  );
}

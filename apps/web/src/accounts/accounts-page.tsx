import { Anchor, Button, Skeleton, Stack } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useMe } from '../api/queries.ts';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { AccountTable } from './account-table.tsx';
import { useClients } from './client-queries.ts';
import { ConnectDialog } from './connect-dialog.tsx';
import { useAccounts } from './queries.ts';
import { ReturnNotice } from './return-notice.tsx';

/** One's accounts at other providers; here the browser is again after a login at one of them (`?returned=corp/mine`). */
export function AccountsPage() {
  const isAdmin = useMe().data?.isAdmin === true;
  const [parameters, setParameters] = useSearchParams();
  const [connecting, setConnecting] = useState(false);
  const accounts = useAccounts();
  const clients = useClients('');
  const items = accounts.data?.pages.flatMap((page) => page.items) ?? [];
  const hasClients = (clients.data?.pages[0]?.items.length ?? 0) > 0;
  const [client, id] = (parameters.get('returned') ?? '').split('/');
  return (
    <>
      <PageHeader
        title="Connected accounts"
        hint="Elsewhere, where apps of yours act for you. Nobody here sees your password there."
        actions={
          hasClients && (
            <Button
              leftSection={<IconPlus size={16} aria-hidden="true" />}
              onClick={() => setConnecting(true)}
            >
              Connect an account
            </Button>
          )
        }
      />
      <Stack gap="lg">
        {client !== undefined && id !== undefined && (
          <ReturnNotice
            key={`${client}/${id}`}
            place={{ client: { id: client }, id }}
            onClose={() => setParameters({}, { replace: true })}
          />
        )}
        <ProblemNotice error={accounts.error} onRetry={() => void accounts.refetch()} />
        <ProblemNotice error={clients.error} onRetry={() => void clients.refetch()} />
        {accounts.isPending && (
          <Skeleton h={160} radius={12} aria-busy="true" aria-label="Loading connected accounts" />
        )}
        {items.length > 0 && <AccountTable accounts={items} />}
        {accounts.isSuccess && items.length === 0 && clients.isSuccess && (
          <Empty title="No connected accounts yet">
            {hasClients
              ? 'Connect one and log in there once: apps of yours then ask with your rights, until you disconnect it.'
              : 'There is no provider to connect with yet. An administrator registers Haic there first.'}{' '}
            {isAdmin && !hasClients && (
              <Anchor component={Link} to="/admin/oauth-clients" underline="always">
                Register one
              </Anchor>
            )}
          </Empty>
        )}
        <More of={accounts} />
      </Stack>
      {connecting && <ConnectDialog taken={items} onClose={() => setConnecting(false)} />}
    </>
  );
}

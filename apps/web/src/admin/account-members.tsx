import { Anchor, Button, Stack, Title } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { More } from '../components/more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import classes from '../components/rows.module.css';
import { AccountName } from './account-name.tsx';
import { type Membership, nameOf } from './groups.ts';
import { type ServiceAccount, useServiceAccounts } from './service-accounts.ts';
import { TakeMemberDialog } from './take-member-dialog.tsx';

/** The service accounts in a group or with a role, below the people; nothing where there are none. */
export function AccountMembers({ of, takes, query }: { of: Membership; takes: string; query: string }) {
  const name = nameOf(of);
  const accounts = useServiceAccounts({ query, ...('group' in of ? { group: name } : { role: name }) });
  const [leaving, setLeaving] = useState<ServiceAccount>();
  const items = accounts.data?.pages.flatMap((page) => page.items) ?? [];
  if (accounts.isError)
    return <ProblemNotice error={accounts.error} onRetry={() => void accounts.refetch()} />;
  if (items.length === 0) return null;
  return (
    <Stack gap="xs">
      <Title order={2} size="h5">
        Service accounts
      </Title>
      <table className={classes.table} aria-label={`Service accounts of ${name}`}>
        <thead>
          <tr>
            <th scope="col">Account</th>
            <th scope="col">Owner</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((account) => (
            <tr key={account.id}>
              <td className={classes.wide}>
                <AccountName account={account}>
                  <Anchor
                    component={Link}
                    to={`/admin/service-accounts?q=${encodeURIComponent(account.name)}`}
                    fw={600}
                    size="sm"
                    className="break"
                  >
                    {account.name}
                  </Anchor>
                </AccountName>
              </td>
              <td>
                <span className={classes.label}>Owner </span>
                {account.owner ?? 'gone'}
              </td>
              <td className={classes.actions}>
                <Button
                  size="xs"
                  variant="default"
                  onClick={() => setLeaving(account)}
                  aria-label={`${takes}: ${account.name}`}
                >
                  Remove
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <More of={accounts} />
      {leaving !== undefined && (
        <TakeMemberDialog
          of={of}
          username={leaving.name}
          title={takes}
          onClose={() => setLeaving(undefined)}
        />
      )}
    </Stack>
  );
}

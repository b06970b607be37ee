import { Button, Menu, Skeleton, Stack, Text } from '@mantine/core';
import { IconKey, IconPlayerPause, IconPlayerPlay, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowMenu } from '../components/row-menu.tsx';
import classes from '../components/rows.module.css';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { Age } from '../components/time.tsx';
import { AccountName } from './account-name.tsx';
import {
  DisableAccountDialog,
  RemoveAccountDialog,
  RotateDialog,
  SecretShown,
} from './service-account-dialogs.tsx';
import { ServiceAccountForm } from './service-account-form.tsx';
import {
  type ServiceAccount,
  useServiceAccounts,
  useSetAccountDisabled,
  type WithSecret,
} from './service-accounts.ts';

export function ServiceAccountsPage() {
  const query = useSearchParam();
  const accounts = useServiceAccounts({ query });
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<WithSecret>();
  const items = accounts.data?.pages.flatMap((page) => page.items) ?? [];
  const showSecret = (secret: WithSecret) => {
    setMaking(false);
    setMade(secret);
  };
  return (
    <>
      <PageHeader
        title="Service accounts"
        hint="For pipelines and other systems: each has roles of its own and a person who answers for it."
        actions={
          <Button
            leftSection={<IconPlus size={16} aria-hidden="true" />}
            onClick={() => setMaking(true)}
            disabled={accounts.isError}
          >
            Make a service account
          </Button>
        }
      />
      <Stack gap="lg">
        <SearchField label="Search service accounts" />
        {accounts.isError && <ProblemNotice error={accounts.error} onRetry={() => void accounts.refetch()} />}
        {accounts.isPending && (
          <Skeleton h={160} radius={12} aria-busy="true" aria-label="Loading service accounts" />
        )}
        {items.length > 0 && <AccountTable accounts={items} onMade={showSecret} />}
        {accounts.isSuccess && items.length === 0 && (
          <Empty title={query === '' ? 'No service accounts yet' : `Nothing found for “${query}”`}>
            {query === ''
              ? 'Make one for a pipeline that imports or runs apps.'
              : 'Part of the name or description was searched, and whole owners, roles and groups.'}
          </Empty>
        )}
        <More of={accounts} />
      </Stack>
      {making && <ServiceAccountForm onMade={showSecret} onClose={() => setMaking(false)} />}
      {made !== undefined && <SecretShown made={made} onClose={() => setMade(undefined)} />}
    </>
  );
}

type Asked = { readonly what: 'rotate' | 'disable' | 'remove'; readonly account: ServiceAccount };

function AccountTable(props: { accounts: readonly ServiceAccount[]; onMade: (made: WithSecret) => void }) {
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  return (
    <>
      <table className={classes.table} aria-label="Service accounts">
        <thead>
          <tr>
            <th scope="col">Account</th>
            <th scope="col">Owner</th>
            <th scope="col">Roles and groups</th>
            <th scope="col">Last used</th>
            <th scope="col">Ends</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.accounts.map((account) => (
            <AccountRow key={account.id} account={account} onAsk={(what) => setAsked({ what, account })} />
          ))}
        </tbody>
      </table>
      {asked?.what === 'rotate' && (
        <RotateDialog account={asked.account} onClose={close} onMade={props.onMade} />
      )}
      {asked?.what === 'disable' && <DisableAccountDialog account={asked.account} onClose={close} />}
      {asked?.what === 'remove' && <RemoveAccountDialog account={asked.account} onClose={close} />}
    </>
  );
}

function AccountRow({ account, onAsk }: { account: ServiceAccount; onAsk: (what: Asked['what']) => void }) {
  return (
    <tr>
      <td className={classes.wide}>
        <AccountName account={account}>
          <Text fw={600} size="sm" className="break" component="span">
            {account.name}
          </Text>
        </AccountName>
      </td>
      <td>
        <span className={classes.label}>Owner </span>
        {account.owner ?? 'gone'}
      </td>
      <td className="break">
        <span className={classes.label}>Roles and groups </span>
        {[...account.roles, ...account.groups].join(', ') || '–'}
      </td>
      <td>
        <span className={classes.label}>Last used </span>
        {account.lastUsedAt === null ? 'never' : <Age iso={account.lastUsedAt} />}
      </td>
      <td>
        <span className={classes.label}>Ends </span>
        {account.expiresAt === null ? 'never' : new Date(account.expiresAt).toLocaleDateString()}
      </td>
      <td className={classes.actions}>
        <AccountMenu account={account} onAsk={onAsk} />
      </td>
    </tr>
  );
}

function AccountMenu({ account, onAsk }: { account: ServiceAccount; onAsk: (what: Asked['what']) => void }) {
  const change = useSetAccountDisabled(account.name);
  return (
    <RowMenu name={account.name}>
      <Menu.Item leftSection={<IconKey size={16} aria-hidden="true" />} onClick={() => onAsk('rotate')}>
        New secret
      </Menu.Item>
      {account.disabled ? (
        <Menu.Item
          leftSection={<IconPlayerPlay size={16} aria-hidden="true" />}
          onClick={() => change.mutate(false)}
        >
          Enable
        </Menu.Item>
      ) : (
        <Menu.Item
          leftSection={<IconPlayerPause size={16} aria-hidden="true" />}
          onClick={() => onAsk('disable')}
        >
          Disable
        </Menu.Item>
      )}
      <Menu.Item
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        style={{ color: 'var(--mantine-color-error)' }}
        onClick={() => onAsk('remove')}
      >
        Remove
      </Menu.Item>
    </RowMenu>
  );
}

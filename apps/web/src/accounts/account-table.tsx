import { Button, Group, Menu, Modal, Stack, Text } from '@mantine/core';
import { IconCode, IconLogin2, IconPlugConnectedX } from '@tabler/icons-react';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { CodeBlock } from '../components/copy.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { RowMenu } from '../components/row-menu.tsx';
import classes from '../components/rows.module.css';
import { Age } from '../components/time.tsx';
import { type Account, type AccountState, titleOf, useDisconnect, useLogIn } from './queries.ts';

type Act = 'use' | 'disconnect';

export function AccountTable({ accounts }: { accounts: readonly Account[] }) {
  const [asked, setAsked] = useState<{ act: Act; account: Account }>();
  const logIn = useLogIn();
  const close = () => setAsked(undefined);
  return (
    <>
      <ProblemNotice error={logIn.error} />
      <table className={classes.table} aria-label="Connected accounts">
        <thead>
          <tr>
            <th scope="col">Account</th>
            <th scope="col">State</th>
            <th scope="col">Asks for</th>
            <th scope="col">Last used</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => (
            <Row
              key={`${account.client.id}/${account.id}`}
              account={account}
              isLeaving={logIn.isPending && logIn.variables === account}
              onLogIn={() => logIn.mutate(account)}
              onAct={(act) => setAsked({ act, account })}
            />
          ))}
        </tbody>
      </table>
      {asked?.act === 'use' && <UseDialog account={asked.account} onClose={close} />}
      {asked?.act === 'disconnect' && <DisconnectDialog account={asked.account} onClose={close} />}
    </>
  );
}

const labels: Readonly<Record<AccountState, string>> = {
  NOT_CONNECTED: 'Not connected yet',
  CONNECTED: 'Connected',
  LOGIN_REQUIRED: 'Login needed',
};
const tones = { NOT_CONNECTED: 'idle', CONNECTED: 'ok', LOGIN_REQUIRED: 'bad' } as const;

function State({ account }: { account: Account }) {
  const { state, problem, loginPrincipal, connectedAt, endsAt } = account;
  return (
    <>
      <Group gap={8} wrap="nowrap" component="span" style={{ display: 'inline-flex' }}>
        <span className="dot" data-tone={tones[state]} aria-hidden="true" />
        <Text component="span" fw={600} inherit>
          {labels[state]}
        </Text>
      </Group>
      <Text size="xs" c="dimmed" className="break">
        {problem !== null && (
          <>
            {problem.message} (<Age iso={problem.at} />)
          </>
        )}
        {problem === null && state === 'NOT_CONNECTED' && 'Log in there once.'}
        {problem === null && state === 'LOGIN_REQUIRED' && 'Its access is over. Log in there again.'}
        {problem === null && state === 'CONNECTED' && connectedAt !== null && (
          <>
            {loginPrincipal !== '' && `As ${loginPrincipal}, `}
            <Age iso={connectedAt} />
            {endsAt === null ? '; renewed by itself' : `; ends ${new Date(endsAt).toLocaleString()}`}
          </>
        )}
      </Text>
    </>
  );
}

function Row(props: {
  account: Account;
  isLeaving: boolean;
  onLogIn: () => void;
  onAct: (act: Act) => void;
}) {
  const { account, onAct } = props;
  return (
    <tr>
      <td className={classes.wide}>
        <Text fw={600} size="sm" className="break" component="span">
          {titleOf(account)}
        </Text>
        <Text size="xs" c="dimmed" className="break">
          {account.client.id}/{account.id}
        </Text>
      </td>
      <td>
        <State account={account} />
      </td>
      <td className="break">
        <span className={classes.label}>Asks for </span>
        {account.scopes.join(', ') || '–'}
      </td>
      <td>
        <span className={classes.label}>Last used </span>
        {account.lastUsedAt === null ? 'never' : <Age iso={account.lastUsedAt} />}
      </td>
      <td className={classes.actions}>
        <Group gap="xs" wrap="nowrap" justify="flex-end">
          {account.state !== 'CONNECTED' && (
            <Button size="xs" loading={props.isLeaving} onClick={props.onLogIn}>
              Log in
            </Button>
          )}
          <AccountMenu {...props} onAct={onAct} />
        </Group>
      </td>
    </tr>
  );
}

function AccountMenu(props: { account: Account; onLogIn: () => void; onAct: (act: Act) => void }) {
  const { account, onAct } = props;
  return (
    <RowMenu name={`${account.client.id}/${account.id}`}>
      <Menu.Item leftSection={<IconCode size={16} aria-hidden="true" />} onClick={() => onAct('use')}>
        Use it in apps
      </Menu.Item>
      {account.state === 'CONNECTED' && (
        <Menu.Item leftSection={<IconLogin2 size={16} aria-hidden="true" />} onClick={props.onLogIn}>
          Log in again
        </Menu.Item>
      )}
      <Menu.Item
        leftSection={<IconPlugConnectedX size={16} aria-hidden="true" />}
        style={{ color: 'var(--mantine-color-error)' }}
        onClick={() => onAct('disconnect')}
      >
        Disconnect
      </Menu.Item>
    </RowMenu>
  );
}

function DisconnectDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const disconnect = useDisconnect();
  return (
    <ConfirmDialog
      title={`Disconnect ${titleOf(account)} (${account.id})?`}
      action="Disconnect"
      onClose={onClose}
      onConfirm={() => disconnect.mutateAsync(account)}
    >
      <Text>
        Apps of yours can no longer act for you there. What was given to them is revoked at the provider. To
        have it again, connect it again and log in there.
      </Text>
    </ConfirmDialog>
  );
}

function UseDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  useReturnFocus();
  const code = `import h2o_secure_store

clients = h2o_secure_store.login()
source = clients.token_source_client.get_token_source("${account.client.id}", "${account.id}")
headers = {"Authorization": f"Bearer {source.access_token}"}
`;
  return (
    <Modal opened onClose={onClose} title="In an app or notebook of yours" centered size="lg">
      <Stack>
        <Text size="sm">
          The token is good for a while and renewed in time, so ask for it whenever it is needed. Each asking
          is in your activity.
        </Text>
        <CodeBlock code={code} what="the code" />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

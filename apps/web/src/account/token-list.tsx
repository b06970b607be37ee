import { Badge, Button, Skeleton, Text } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Empty } from '../components/empty.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import classes from '../components/rows.module.css';
import { Age } from '../components/time.tsx';
import { type PersonalToken, useRevoke, useTokens } from './queries.ts';

const names = { SESSION: 'Sign-in', PLATFORM_TOKEN: 'Platform token', CLI_TOKEN: 'CLI token' } as const;

const hintOf = ({ kind, client }: PersonalToken): string => {
  if (kind === 'PLATFORM_TOKEN') return 'for programs and the Python clients';
  if (kind === 'CLI_TOKEN') return 'for the command line';
  return client === 'haic-portal' ? 'in a browser, with the apps opened there' : 'in a browser, at an app';
};

/** Sessions and tokens of the person, or one's own. A table on wide screens, cards on narrow ones. */
export function TokenList({ username, label }: { username?: string | undefined; label: string }) {
  const tokens = useTokens(username);
  const [ending, setEnding] = useState<PersonalToken>();
  if (tokens.isPending)
    return <Skeleton h={160} radius={12} aria-busy="true" aria-label={`Loading: ${label}`} />;
  if (tokens.data === undefined)
    return <ProblemNotice error={tokens.error} onRetry={() => void tokens.refetch()} />;
  const { items } = tokens.data;
  if (items.length === 0)
    return <Empty title="Nothing there">No one is signed in with this account, and it has no tokens.</Empty>;
  return (
    <>
      <table className={classes.table} aria-label={label}>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((token) => (
            <TokenRow key={token.id} token={token} onEnd={() => setEnding(token)} />
          ))}
        </tbody>
      </table>
      {ending !== undefined && (
        <RevokeDialog token={ending} username={username} onClose={() => setEnding(undefined)} />
      )}
    </>
  );
}

function TokenRow({ token, onEnd }: { token: PersonalToken; onEnd: () => void }) {
  const action = token.kind === 'SESSION' ? 'Sign out' : 'Revoke';
  const when = new Date(token.createdAt).toLocaleString();
  return (
    <tr>
      <td className={classes.wide}>
        <Text size="sm" fw={600} component="span">
          {names[token.kind]}
        </Text>
        {token.current && (
          <Badge variant="light" size="sm" tt="none" ml={8}>
            this one
          </Badge>
        )}
        <Text size="xs" c="dimmed">
          {hintOf(token)}
        </Text>
      </td>
      <td>
        <span className={classes.label}>Created </span>
        <Age iso={token.createdAt} />
      </td>
      <td>
        <span className={classes.label}>Last used </span>
        {token.lastUsedAt === null ? 'never' : <Age iso={token.lastUsedAt} />}
      </td>
      <td className={classes.actions}>
        {!token.current && (
          <Button
            size="xs"
            variant="default"
            onClick={onEnd}
            aria-label={`${action}: ${names[token.kind]} of ${when}`}
          >
            {action}
          </Button>
        )}
      </td>
    </tr>
  );
}

function RevokeDialog(props: { token: PersonalToken; username: string | undefined; onClose: () => void }) {
  const { token } = props;
  const revoke = useRevoke(props.username);
  const session = token.kind === 'SESSION';
  return (
    <ConfirmDialog
      title={
        session
          ? 'Sign this browser out?'
          : `Revoke this ${token.kind === 'CLI_TOKEN' ? 'CLI' : 'platform'} token?`
      }
      action={session ? 'Sign out' : 'Revoke'}
      onClose={props.onClose}
      onConfirm={() => revoke.mutateAsync(token.id)}
    >
      <Text>
        {session
          ? 'The portal and the apps that were opened there ask for the password again. Platform and CLI tokens stay.'
          : 'Whatever uses it stops working within five minutes and needs a new token. Others stay.'}
      </Text>
    </ConfirmDialog>
  );
}

import { Text } from '@mantine/core';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { type Membership, nameOf, useChangeMember } from './groups.ts';

/** Takes a person or a service account out of a group, or a role from it. */
export function TakeMemberDialog(props: {
  of: Membership;
  username: string;
  title: string;
  onClose: () => void;
}) {
  const change = useChangeMember(props.of);
  const { username } = props;
  return (
    <ConfirmDialog
      title={`${props.title}: ${username}?`}
      action="Remove"
      onClose={props.onClose}
      onConfirm={() => change.mutateAsync({ username, how: 'remove' })}
    >
      <Text>
        {'group' in props.of
          ? `Apps no longer see that ${username} is in “${nameOf(props.of)}”. The account stays as it is.`
          : `${username} can then no longer do what “${nameOf(props.of)}” allows. The account stays.`}{' '}
        Tokens that are in use now say so for a few minutes more.
      </Text>
    </ConfirmDialog>
  );
}

// For the arrow of a NativeSelect.
import '@mantine/core/styles/Combobox.css';
import { Badge, Button, Group, NativeSelect, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useMe } from '../api/queries.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { More } from '../components/more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import classes from '../components/rows.module.css';
import { AddMemberDialog } from './member-dialogs.tsx';
import {
  idOf,
  type Member,
  type useMembers,
  useRemoveMember,
  useSetRole,
  type Workspace,
} from './queries.ts';
import { isAtLeast, type Role, roleNames, rolesUpTo } from './roles.ts';

/** Who is in it, with what they may; changed by those who look after it. */
export function Members({
  workspace,
  members,
}: {
  workspace: Workspace;
  members: ReturnType<typeof useMembers>;
}) {
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Member>();
  const setRole = useSetRole(idOf(workspace));
  const items = members.data?.pages.flatMap((page) => page.members) ?? [];
  const mayShare = isAtLeast(workspace.role, 'ROLE_ADMIN') && workspace.deleteTime === undefined;
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <Title order={2} size="h4">
          Members
        </Title>
        {mayShare && (
          <Button
            variant="default"
            leftSection={<IconUserPlus size={16} aria-hidden="true" />}
            onClick={() => setAdding(true)}
          >
            Add a member
          </Button>
        )}
      </Group>
      {members.isError && <ProblemNotice error={members.error} onRetry={() => void members.refetch()} />}
      <ProblemNotice error={setRole.error} />
      {members.isPending && <Skeleton h={160} radius={12} aria-busy="true" aria-label="Loading members" />}
      {items.length > 0 && (
        <table className={classes.table} aria-label="Members">
          <thead>
            <tr>
              <th scope="col">Member</th>
              <th scope="col">Role</th>
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((member) => (
              <MemberRow
                key={member.name}
                member={member}
                // Nobody touches who has more than they have.
                givable={mayShare && isAtLeast(workspace.role, member.role) ? rolesUpTo(workspace.role) : []}
                onRole={(role) => setRole.mutate({ member, role })}
                onRemove={() => setRemoving(member)}
              />
            ))}
          </tbody>
        </table>
      )}
      {members.isSuccess && items.length === 0 && (
        <Text c="dimmed" size="sm">
          Nobody was given more here than everybody has.
        </Text>
      )}
      <More of={members} />
      {adding && <AddMemberDialog workspace={workspace} members={items} onClose={() => setAdding(false)} />}
      {removing !== undefined && (
        <RemoveMemberDialog member={removing} onClose={() => setRemoving(undefined)} />
      )}
    </Stack>
  );
}

const labelOf = ({ displayName, member }: Member): string => (displayName === '' ? member : displayName);

function MemberRow(props: {
  member: Member;
  givable: readonly Role[];
  onRole: (role: Role) => void;
  onRemove: () => void;
}) {
  const me = useMe();
  const { member, givable } = props;
  const label = labelOf(member);
  return (
    <tr>
      <td className={classes.wide}>
        <Text fw={600} size="sm" className="break" component="span">
          {label}
        </Text>
        {member.member === `users/${me.data?.subject}` && ' (you)'}
        {!member.active && (
          <Badge variant="light" color="red" size="sm" tt="none" ml={8}>
            Cannot sign in
          </Badge>
        )}
        <Text size="xs" c="dimmed" className="break">
          {member.member.startsWith('groups/') ? 'Group' : member.loginPrincipal}
        </Text>
      </td>
      <td>
        {givable.length === 0 ? (
          <>
            <span className={classes.label}>Role </span>
            {roleNames[member.role]}
          </>
        ) : (
          <NativeSelect
            aria-label={`Role of ${label}`}
            size="xs"
            maw={140}
            value={member.role}
            onChange={(event) => props.onRole(event.currentTarget.value as Role)}
            data={givable.map((role) => ({ value: role, label: roleNames[role] }))}
          />
        )}
      </td>
      <td className={classes.actions}>
        {givable.length > 0 && (
          <Button size="xs" variant="default" onClick={props.onRemove} aria-label={`Remove ${label}`}>
            Remove
          </Button>
        )}
      </td>
    </tr>
  );
}

function RemoveMemberDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const remove = useRemoveMember();
  const label = labelOf(member);
  return (
    <ConfirmDialog
      title={`Remove ${label}?`}
      action="Remove"
      onClose={onClose}
      onConfirm={() => remove.mutateAsync(member)}
    >
      <Text>
        {member.member.startsWith('groups/')
          ? `Whoever is here only by the group ${label} no longer sees this workspace, from now on.`
          : `${label} no longer sees this workspace, from now on. What they made in it stays.`}
      </Text>
    </ConfirmDialog>
  );
}

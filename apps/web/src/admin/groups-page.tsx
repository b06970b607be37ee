import { Anchor, Button, Menu, Skeleton, Stack } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowMenu } from '../components/row-menu.tsx';
import classes from '../components/rows.module.css';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { Age } from '../components/time.tsx';
import { DeleteGroupDialog, GroupNameDialog } from './group-dialogs.tsx';
import { type Group, sizeOf, useGroups } from './groups.ts';

export const pageOfGroup = (group: Group): string => `/admin/groups/${group.id}`;

export function GroupsPage() {
  const query = useSearchParam();
  const groups = useGroups(query);
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  const items = groups.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHeader
        title="Groups"
        hint="What people belong to. Apps see it in tokens and may decide by it."
        actions={
          <Button
            leftSection={<IconPlus size={16} aria-hidden="true" />}
            onClick={() => setMaking(true)}
            disabled={groups.isError}
          >
            Make a group
          </Button>
        }
      />
      <Stack gap="lg">
        <SearchField label="Search groups" />
        {groups.isError && <ProblemNotice error={groups.error} onRetry={() => void groups.refetch()} />}
        {groups.isPending && <Skeleton h={160} radius={12} aria-busy="true" aria-label="Loading groups" />}
        {items.length > 0 && <GroupTable groups={items} />}
        {groups.isSuccess && items.length === 0 && (
          <Empty title={query === '' ? 'No groups yet' : `No group found for “${query}”`}>
            {query === '' ? 'Make one, and put people into it.' : 'Part of the name was searched.'}
          </Empty>
        )}
        <More of={groups} />
      </Stack>
      {making && (
        <GroupNameDialog
          onClose={() => setMaking(false)}
          onSaved={(group) => void navigate(pageOfGroup(group))}
        />
      )}
    </>
  );
}

function GroupTable({ groups }: { groups: readonly Group[] }) {
  const [renaming, setRenaming] = useState<Group>();
  const [deleting, setDeleting] = useState<Group>();
  return (
    <>
      <table className={classes.table} aria-label="Groups">
        <thead>
          <tr>
            <th scope="col">Group</th>
            <th scope="col">Members</th>
            <th scope="col">Made</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={group.id}>
              <td className={classes.wide}>
                <Anchor component={Link} to={pageOfGroup(group)} fw={600} size="sm" className="break">
                  {group.name}
                </Anchor>
              </td>
              <td>
                <span className={classes.label}>Members </span>
                {sizeOf(group)}
              </td>
              <td>
                <span className={classes.label}>Made </span>
                <Age iso={group.createdAt} />
              </td>
              <td className={classes.actions}>
                <GroupMenu
                  group={group}
                  onRename={() => setRenaming(group)}
                  onDelete={() => setDeleting(group)}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {renaming !== undefined && <GroupNameDialog group={renaming} onClose={() => setRenaming(undefined)} />}
      {deleting !== undefined && (
        <DeleteGroupDialog group={deleting} onClose={() => setDeleting(undefined)} />
      )}
    </>
  );
}

export function GroupMenu(props: { group: Group; onRename: () => void; onDelete: () => void }) {
  return (
    <RowMenu name={props.group.name}>
      <Menu.Item leftSection={<IconPencil size={16} aria-hidden="true" />} onClick={props.onRename}>
        Rename
      </Menu.Item>
      <Menu.Item
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        style={{ color: 'var(--mantine-color-error)' }}
        onClick={props.onDelete}
      >
        Delete
      </Menu.Item>
    </RowMenu>
  );
}

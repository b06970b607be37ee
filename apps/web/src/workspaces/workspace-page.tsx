import { Alert, Anchor, Button, Group, Stack, Text } from '@mantine/core';
import { IconDoorExit, IconPencil, IconRestore, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { ApiError } from '../api/problem.ts';
import { useMe } from '../api/queries.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { NotFoundPage } from '../components/not-found-page.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { PageLoading } from '../components/page-loading.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Quota } from '../drive/quota.tsx';
import { AssignOwnerDialog } from './member-dialogs.tsx';
import { Members } from './members.tsx';
import { idOf, type Member, useMembers, useWorkspace, useWorkspaceDeed, type Workspace } from './queries.ts';
import { isAtLeast, isRole, ownRole } from './roles.ts';
import { WorkspaceForm } from './workspace-form.tsx';
import { KindBadge } from './workspaces-page.tsx';

export function WorkspacePage() {
  const { id = '' } = useParams();
  const workspace = useWorkspace(id);
  if (workspace.error instanceof ApiError && workspace.error.status === 404)
    return <NotFoundPage what="This workspace" />;
  if (workspace.data === undefined)
    return workspace.isError ? (
      <ProblemNotice error={workspace.error} onRetry={() => void workspace.refetch()} />
    ) : (
      <PageLoading />
    );
  return <Shown workspace={workspace.data} />;
}

function Shown({ workspace }: { workspace: Workspace }) {
  const isDeleted = workspace.deleteTime !== undefined;
  const isPersonal = workspace.kind === 'WORKSPACE_KIND_PERSONAL';
  const members = useMembers(idOf(workspace));
  const me = useMe();
  return (
    <>
      <Anchor component={Link} to="/workspaces" size="sm">
        All workspaces
      </Anchor>
      <PageHeader
        title={workspace.displayName}
        hint={workspace.description}
        actions={<Actions workspace={workspace} />}
      />
      <Stack gap="lg">
        {isDeleted && <DeletedNotice workspace={workspace} />}
        <Group gap="xs">
          <KindBadge workspace={workspace} />
          <Text size="sm">
            {isRole(workspace.role)
              ? ownRole[workspace.role]
              : 'You see this as an administrator of the platform. What it holds is for its members.'}
          </Text>
        </Group>
        {isPersonal && isRole(workspace.role) && (
          <Text size="sm">
            It is yours alone and cannot be shared: apps that you run keep here what is only for you. Make a
            workspace to share.
          </Text>
        )}
        {me.data?.isAdmin === true && !isDeleted && (
          <Text size="sm" component="div">
            In Drive:{' '}
            <Quota holder={{ kind: 'workspaces', id: idOf(workspace) }} name={workspace.displayName} />
          </Text>
        )}
        <OwnersGone
          workspace={workspace}
          members={members.data?.pages.flatMap((page) => page.members) ?? []}
          isWhole={members.hasNextPage === false}
        />
        {!isPersonal && <Members workspace={workspace} members={members} />}
      </Stack>
    </>
  );
}

type Dialog = 'edit' | 'delete' | 'leave';

function Actions({ workspace }: { workspace: Workspace }) {
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<Dialog>();
  const remove = useWorkspaceDeed('delete');
  const leave = useWorkspaceDeed('leave');
  if (workspace.deleteTime !== undefined) return null;
  const isShared = workspace.kind === 'WORKSPACE_KIND_SHARED';
  const close = () => setDialog(undefined);
  return (
    <>
      {isAtLeast(workspace.role, 'ROLE_ADMIN') && (
        <Button
          variant="default"
          leftSection={<IconPencil size={16} aria-hidden="true" />}
          onClick={() => setDialog('edit')}
        >
          Edit
        </Button>
      )}
      {isShared && isRole(workspace.role) && (
        <Button
          variant="default"
          leftSection={<IconDoorExit size={16} aria-hidden="true" />}
          onClick={() => setDialog('leave')}
        >
          Leave
        </Button>
      )}
      {isShared && workspace.role === 'ROLE_OWNER' && (
        <Button
          variant="default"
          style={{ color: 'var(--mantine-color-error)' }}
          leftSection={<IconTrash size={16} aria-hidden="true" />}
          onClick={() => setDialog('delete')}
        >
          Delete
        </Button>
      )}
      {dialog === 'edit' && <WorkspaceForm workspace={workspace} onClose={close} />}
      {dialog === 'delete' && (
        <ConfirmDialog
          title={`Delete ${workspace.displayName}?`}
          action="Delete"
          onClose={close}
          onConfirm={async () => {
            await remove.mutateAsync(idOf(workspace));
            await navigate('/workspaces', { state: { deleted: workspace } });
          }}
        >
          <Text>
            Nobody can use what it holds, from now on. For thirty days it can be restored, with everything
            that is in it.
          </Text>
        </ConfirmDialog>
      )}
      {dialog === 'leave' && (
        <ConfirmDialog
          title={`Leave ${workspace.displayName}?`}
          action="Leave"
          onClose={close}
          onConfirm={async () => {
            await leave.mutateAsync(idOf(workspace));
            await navigate('/workspaces');
          }}
        >
          <Text>You no longer see it until somebody adds you again. What you made in it stays.</Text>
        </ConfirmDialog>
      )}
    </>
  );
}

function DeletedNotice({ workspace }: { workspace: Workspace }) {
  const me = useMe();
  const restore = useWorkspaceDeed('undelete');
  const mayRestore = workspace.role === 'ROLE_OWNER' || me.data?.isAdmin === true;
  return (
    <>
      <Alert variant="outline" className="notice" title="This workspace is deleted">
        <Group justify="space-between" gap="sm">
          <Text size="sm">
            Nothing that it holds can be used. On {new Date(workspace.purgeTime ?? '').toLocaleDateString()}{' '}
            it is gone for good.
          </Text>
          {mayRestore && (
            <Button
              leftSection={<IconRestore size={16} aria-hidden="true" />}
              loading={restore.isPending}
              onClick={() => restore.mutate(idOf(workspace))}
            >
              Restore
            </Button>
          )}
        </Group>
      </Alert>
      <ProblemNotice error={restore.error} />
    </>
  );
}

/** For administrators of the platform: nobody who owns it can sign in any more. */
function OwnersGone(props: { workspace: Workspace; members: readonly Member[]; isWhole: boolean }) {
  const me = useMe();
  const [assigning, setAssigning] = useState(false);
  const owners = props.members.filter(
    ({ role, member }) => role === 'ROLE_OWNER' && member.startsWith('users/'),
  );
  const isOrphan = owners.length > 0 && owners.every(({ active }) => !active);
  if (me.data?.isAdmin !== true || !props.isWhole || !isOrphan) return null;
  return (
    <Alert variant="outline" className="notice" title="No owner can sign in any more">
      <Group justify="space-between" gap="sm">
        <Text size="sm">Nothing is lost. As an administrator you can put somebody in their place.</Text>
        <Button variant="default" onClick={() => setAssigning(true)}>
          Put an owner in place
        </Button>
      </Group>
      {assigning && <AssignOwnerDialog workspace={props.workspace} onClose={() => setAssigning(false)} />}
    </Alert>
  );
}

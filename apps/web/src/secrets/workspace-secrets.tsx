import { Alert, Button, Group, Menu, Skeleton, Stack, Text } from '@mantine/core';
import { IconFileText, IconHistory, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowMenu } from '../components/row-menu.tsx';
import classes from '../components/rows.module.css';
import { Age } from '../components/time.tsx';
import type { Workspace } from '../workspaces/queries.ts';
import { isAtLeast, isRole, ownRole } from '../workspaces/roles.ts';
import { ManifestDialog } from './secret-dialogs.tsx';
import { StoredForm } from './stored-form.tsx';
import { UndoNotice } from './undo-notice.tsx';
import { VersionsDialog } from './versions-dialog.tsx';
import {
  lastOf,
  type StoredSecret,
  useAddVersion,
  useDeleteStored,
  useKeepStored,
  useStoredSecrets,
  useUndeleteStored,
} from './workspace-queries.ts';

type Act = 'manifest' | 'versions' | 'add' | 'delete';

/** The secrets of one workspace, by the role that one has there: viewers have apps use them, editors read and change them. */
export function WorkspaceSecrets({ workspace }: { workspace: Workspace }) {
  const secrets = useStoredSecrets(workspace.name);
  const keep = useKeepStored(workspace.name);
  const undelete = useUndeleteStored();
  const [making, setMaking] = useState(false);
  const [asked, setAsked] = useState<{ act: Act; secret: StoredSecret }>();
  const [deleted, setDeleted] = useState<string>();
  const mayEdit = isAtLeast(workspace.role, 'ROLE_EDITOR');
  const items = secrets.data?.pages.flatMap((page) => page.secrets) ?? [];
  const close = () => setAsked(undefined);
  return (
    <Stack gap="lg">
      <Group justify="space-between" gap="sm">
        <Text size="sm" c="dimmed">
          {isRole(workspace.role) ? ownRole[workspace.role] : ''}
        </Text>
        {mayEdit && (
          <Button
            variant="default"
            leftSection={<IconPlus size={16} aria-hidden="true" />}
            onClick={() => setMaking(true)}
          >
            Keep one here
          </Button>
        )}
      </Group>
      {deleted !== undefined && (
        <UndoNotice
          key={deleted}
          what={lastOf(deleted)}
          onUndo={() => undelete.mutateAsync(deleted)}
          onClose={() => setDeleted(undefined)}
        />
      )}
      <ProblemNotice error={secrets.error} onRetry={() => void secrets.refetch()} />
      {secrets.isPending && <Skeleton h={160} radius={12} aria-busy="true" aria-label="Loading secrets" />}
      {items.length > 0 && (
        <table className={classes.table} aria-label={`Secrets of ${workspace.displayName}`}>
          <thead>
            <tr>
              <th scope="col">Secret</th>
              <th scope="col">Made</th>
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((secret) => (
              <Row
                key={secret.name}
                secret={secret}
                mayEdit={mayEdit}
                onAct={(act) => setAsked({ act, secret })}
              />
            ))}
          </tbody>
        </table>
      )}
      {secrets.isSuccess && items.length === 0 && (
        <Empty title="No secrets in this workspace">
          Who is an editor here keeps some; apps of members use them.
        </Empty>
      )}
      <More of={secrets} />
      {making && (
        <StoredForm
          title={`Keep a secret in ${workspace.displayName}`}
          asksId
          onSave={(id, value) => keep.mutateAsync({ id, value })}
          onClose={() => setMaking(false)}
        />
      )}
      {asked !== undefined && (
        <Dialog asked={asked} mayEdit={mayEdit} onClose={close} onDeleted={setDeleted} />
      )}
    </Stack>
  );
}

function Dialog(props: {
  asked: { act: Act; secret: StoredSecret };
  mayEdit: boolean;
  onClose: () => void;
  onDeleted: (name: string) => void;
}) {
  const { act, secret } = props.asked;
  const { name } = secret;
  const add = useAddVersion(name);
  const remove = useDeleteStored();
  if (act === 'manifest') return <ManifestDialog reference={name} keys={['value']} onClose={props.onClose} />;
  if (act === 'versions')
    return <VersionsDialog secret={name} mayReveal={props.mayEdit} onClose={props.onClose} />;
  if (act === 'add')
    return (
      <StoredForm
        title={`New version of ${lastOf(name)}`}
        asksId={false}
        onSave={(_id, value) => add.mutateAsync(value)}
        onClose={props.onClose}
      />
    );
  return (
    <ConfirmDialog
      title={`Delete ${lastOf(name)}?`}
      action="Delete"
      onClose={props.onClose}
      onConfirm={async () => {
        await remove.mutateAsync(name);
        props.onDeleted(name);
      }}
    >
      <Alert variant="outline" className="notice">
        Apps that use it do not start any more. It can be brought back for thirty days.
      </Alert>
    </ConfirmDialog>
  );
}

function Row(props: { secret: StoredSecret; mayEdit: boolean; onAct: (act: Act) => void }) {
  const { secret, onAct } = props;
  const id = lastOf(secret.name);
  return (
    <tr>
      <td className={classes.wide}>
        <Text fw={600} size="sm" className="break" component="span">
          {id}
        </Text>
        <Text size="xs" c="dimmed" className="break">
          {secret.displayName}
        </Text>
      </td>
      <td>
        <span className={classes.label}>Made </span>
        <Age iso={secret.createTime} />
      </td>
      <td className={classes.actions}>
        <RowMenu name={id}>
          <Menu.Item
            leftSection={<IconFileText size={16} aria-hidden="true" />}
            onClick={() => onAct('manifest')}
          >
            Copy as app.toml
          </Menu.Item>
          <Menu.Item
            leftSection={<IconHistory size={16} aria-hidden="true" />}
            onClick={() => onAct('versions')}
          >
            Versions
          </Menu.Item>
          {props.mayEdit && (
            <>
              <Menu.Item
                leftSection={<IconPencil size={16} aria-hidden="true" />}
                onClick={() => onAct('add')}
              >
                New version
              </Menu.Item>
              <Menu.Item
                leftSection={<IconTrash size={16} aria-hidden="true" />}
                style={{ color: 'var(--mantine-color-error)' }}
                onClick={() => onAct('delete')}
              >
                Delete
              </Menu.Item>
            </>
          )}
        </RowMenu>
      </td>
    </tr>
  );
}

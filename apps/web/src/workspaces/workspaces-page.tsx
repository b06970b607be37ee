import {
  Alert,
  Anchor,
  Badge,
  Button,
  Group,
  SegmentedControl,
  Skeleton,
  Stack,
  Switch,
  Text,
} from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { Link, useLocation, useNavigate, useSearchParams } from 'react-router';
import { useMe } from '../api/queries.ts';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import classes from '../components/rows.module.css';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { Age } from '../components/time.tsx';
import { idOf, useWorkspaceDeed, useWorkspaces, type Workspace } from './queries.ts';
import { isRole, roleNames } from './roles.ts';
import { WorkspaceForm } from './workspace-form.tsx';

export const pageOfWorkspace = (workspace: Pick<Workspace, 'name'>): string =>
  `/workspaces/${idOf(workspace)}`;

export function WorkspacesPage() {
  const me = useMe();
  const query = useSearchParam();
  const [parameters, setParameters] = useSearchParams();
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  const deleted = parameters.get('state') === 'deleted';
  const all = parameters.get('all') === 'true' && me.data?.isAdmin === true;
  const workspaces = useWorkspaces({ query, deleted, all });
  const items = workspaces.data?.pages.flatMap((page) => page.workspaces) ?? [];
  const choose = (name: string, value: string) =>
    setParameters((current) => {
      const next = new URLSearchParams(current);
      if (value === '') next.delete(name);
      else next.set(name, value);
      return next;
    });
  return (
    <>
      <PageHeader
        title="Workspaces"
        hint="What models and secrets belong to, and with whom they are shared."
        actions={
          me.data?.fullAccess === true && (
            <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setMaking(true)}>
              Make a workspace
            </Button>
          )
        }
      />
      <Stack gap="lg">
        <JustDeleted />
        <Group gap="md">
          <div style={{ flex: '1 1 220px', maxWidth: 420 }}>
            <SearchField label="Search workspaces" />
          </div>
          <SegmentedControl
            aria-label="Which workspaces"
            value={deleted ? 'deleted' : ''}
            onChange={(value) => choose('state', value)}
            data={[
              { value: '', label: 'In use' },
              { value: 'deleted', label: 'Deleted' },
            ]}
          />
          {me.data?.isAdmin === true && (
            <EverybodysSwitch all={all} onChange={(value) => choose('all', value ? 'true' : '')} />
          )}
        </Group>
        {workspaces.isError && (
          <ProblemNotice error={workspaces.error} onRetry={() => void workspaces.refetch()} />
        )}
        {workspaces.isPending && (
          <Skeleton h={200} radius={12} aria-busy="true" aria-label="Loading workspaces" />
        )}
        {items.length > 0 && <WorkspaceTable workspaces={items} deleted={deleted} />}
        {workspaces.isSuccess && items.length === 0 && <Nothing query={query} deleted={deleted} />}
        <More of={workspaces} />
      </Stack>
      {making && (
        <WorkspaceForm
          onClose={() => setMaking(false)}
          onSaved={(made) => void navigate(pageOfWorkspace(made))}
        />
      )}
    </>
  );
}

/** The address follows in its own time; the switch does not wait for it. */
function EverybodysSwitch({ all, onChange }: { all: boolean; onChange: (all: boolean) => void }) {
  const [checked, setChecked] = useState(all);
  useEffect(() => setChecked(all), [all]);
  return (
    <Switch
      label="Everybody's"
      checked={checked}
      onChange={({ currentTarget }) => {
        setChecked(currentTarget.checked);
        onChange(currentTarget.checked);
      }}
    />
  );
}

function Nothing({ query, deleted }: { query: string; deleted: boolean }) {
  if (query !== '')
    return <Empty title={`Nothing found for “${query}”`}>Names and descriptions were searched.</Empty>;
  return deleted ? (
    <Empty title="Nothing deleted">
      A workspace that its owner deletes stays here for thirty days, and can be restored.
    </Empty>
  ) : (
    <Empty title="No workspaces yet">You see the ones that somebody puts you into.</Empty>
  );
}

/** Where the page of a workspace led back to, when it was deleted there. */
function JustDeleted() {
  const { state } = useLocation() as { state: { deleted?: Workspace } | null };
  const navigate = useNavigate();
  const restore = useWorkspaceDeed('undelete');
  const deleted = state?.deleted;
  if (deleted === undefined) return null;
  const undo = async (): Promise<void> => {
    await restore.mutateAsync(idOf(deleted));
    await navigate(pageOfWorkspace(deleted), { replace: true });
  };
  return (
    <>
      <Alert variant="outline" className="notice" role="status">
        <Group justify="space-between" gap="sm">
          <Text size="sm" className="break">
            “{deleted.displayName}” is deleted. For thirty days it can be restored.
          </Text>
          <Button
            size="xs"
            variant="default"
            loading={restore.isPending}
            // What went wrong is shown below.
            onClick={() => void undo().catch(() => undefined)}
          >
            Undo
          </Button>
        </Group>
      </Alert>
      <ProblemNotice error={restore.error} />
    </>
  );
}

function WorkspaceTable({ workspaces, deleted }: { workspaces: readonly Workspace[]; deleted: boolean }) {
  return (
    <table className={classes.table} aria-label="Workspaces">
      <thead>
        <tr>
          <th scope="col">Workspace</th>
          <th scope="col">Your role</th>
          <th scope="col">{deleted ? 'Deleted' : 'Made'}</th>
          <th scope="col">{deleted ? 'Gone for good' : <span className="visually-hidden">Kind</span>}</th>
        </tr>
      </thead>
      <tbody>
        {workspaces.map((workspace) => (
          <tr key={workspace.name}>
            <td className={classes.wide}>
              <Anchor component={Link} to={pageOfWorkspace(workspace)} fw={600} size="sm" className="break">
                {workspace.displayName}
              </Anchor>
              <Text size="xs" c="dimmed" className="break" lineClamp={2}>
                {workspace.description}
              </Text>
            </td>
            <td>
              <span className={classes.label}>Your role </span>
              {isRole(workspace.role) ? roleNames[workspace.role] : 'none'}
            </td>
            <td>
              <span className={classes.label}>{deleted ? 'Deleted ' : 'Made '}</span>
              <Age iso={workspace.deleteTime ?? workspace.createTime} />
            </td>
            <td className={workspace.purgeTime === undefined ? classes.actions : undefined}>
              {workspace.purgeTime === undefined ? (
                <KindBadge workspace={workspace} />
              ) : (
                <>
                  <span className={classes.label}>Gone for good </span>
                  {new Date(workspace.purgeTime).toLocaleDateString()}
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function KindBadge({ workspace }: { workspace: Pick<Workspace, 'kind'> }) {
  if (workspace.kind === 'WORKSPACE_KIND_SHARED') return null;
  return (
    <Badge variant="light" size="sm" tt="none">
      {workspace.kind === 'WORKSPACE_KIND_PERSONAL' ? 'Personal' : 'For everybody'}
    </Badge>
  );
}

import { Anchor, Group, Menu, Skeleton, Stack, Text } from '@mantine/core';
import { IconArrowsExchange, IconEye, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { useSetAppVisibility } from '../api/queries.ts';
import type { App, Visibility } from '../api/types.ts';
import { DeleteAppDialog } from '../app/delete-app-dialog.tsx';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowMenu } from '../components/row-menu.tsx';
import classes from '../components/rows.module.css';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { Age } from '../components/time.tsx';
import { VisibilityLabel, visibilities, visibilityName } from '../components/visibility.tsx';
import { VisibilityDialog } from '../components/visibility-dialog.tsx';
import { Chips, Choice, useFilter, withFilter } from './filters.tsx';
import { GiveDialog } from './give-dialog.tsx';
import { type AppUsage, useAllApps, useAppUsage } from './store.ts';

type Deed = 'visibility' | 'give' | 'delete';

export function AdminAppsPage() {
  const query = useSearchParam();
  const [owner, setOwner] = useFilter('owner');
  const [visibility, setVisibility] = useFilter('visibility');
  const apps = useAllApps({ query, owner, visibility: visibility as Visibility | '' });
  const items = apps.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = query !== '' || owner !== '' || visibility !== '';
  return (
    <>
      <PageHeader title="All apps" hint="Every version of every app, whoever imported it, newest first." />
      <Stack gap="lg">
        <Group gap="sm">
          <div style={{ flex: '1 1 240px', maxWidth: 420 }}>
            <SearchField label="Search all apps" />
          </div>
          <Choice
            label="Visibility"
            value={visibility}
            onChange={setVisibility}
            options={visibilities.map((value) => ({ value, label: visibilityName(value) }))}
          />
        </Group>
        <Chips chips={[{ label: 'Owner', value: owner, onClear: () => setOwner('') }]} />
        {apps.isError && <ProblemNotice error={apps.error} onRetry={() => void apps.refetch()} />}
        {apps.isPending && <Skeleton h={240} radius={12} aria-busy="true" aria-label="Loading apps" />}
        {items.length > 0 && <AppTable apps={items} />}
        {apps.isSuccess && items.length === 0 && (
          <Empty title={isFiltered ? 'No such app' : 'No apps yet'}>
            {isFiltered
              ? 'Part of the title, name or description was searched, within the filters above.'
              : 'Nobody has imported one.'}
          </Empty>
        )}
        <More of={apps} />
      </Stack>
    </>
  );
}

function AppTable({ apps }: { apps: readonly App[] }) {
  const usage = useAppUsage(apps.map(({ id }) => id));
  const [chosen, setChosen] = useState<{ app: App; deed: Deed }>();
  const close = () => setChosen(undefined);
  return (
    <>
      <table className={classes.table} aria-label="All apps">
        <thead>
          <tr>
            <th scope="col">App</th>
            <th scope="col">Owner</th>
            <th scope="col">Visibility</th>
            <th scope="col">Instances</th>
            <th scope="col">Last started</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {apps.map((app) => (
            <AppRow
              key={app.id}
              app={app}
              usage={usage.data?.get(app.id)}
              onPick={(deed) => setChosen({ app, deed })}
            />
          ))}
        </tbody>
      </table>
      {chosen?.deed === 'visibility' && <AppVisibility app={chosen.app} onClose={close} />}
      {chosen?.deed === 'delete' && (
        <DeleteAppDialog app={chosen.app} onClose={close} onDeleted={() => undefined} />
      )}
      {chosen?.deed === 'give' && (
        <GiveDialog
          kind="apps"
          id={chosen.app.id}
          label={`${chosen.app.title} ${chosen.app.version}`}
          owner={chosen.app.owner.username}
          onClose={close}
        />
      )}
    </>
  );
}

function AppVisibility({ app, onClose }: { app: App; onClose: () => void }) {
  const set = useSetAppVisibility(app.id);
  return (
    <VisibilityDialog
      of="app"
      current={app.visibility}
      onClose={onClose}
      onSave={(visibility) => set.mutateAsync(visibility)}
    />
  );
}

function AppRow(props: { app: App; usage: AppUsage | undefined; onPick: (deed: Deed) => void }) {
  const { app, usage } = props;
  return (
    <tr>
      <td className={classes.wide}>
        <Anchor component={Link} to={`/apps/${app.id}`} fw={600} size="sm" className="break">
          {app.title}
        </Anchor>
        <Text size="xs" c="dimmed" className="break">
          {app.name} · {app.version}
        </Text>
      </td>
      <td className="break">
        <span className={classes.label}>Owner </span>
        <Anchor component={Link} to={withFilter('owner', app.owner.username)} inherit>
          {app.owner.username}
        </Anchor>
      </td>
      <td>
        <VisibilityLabel visibility={app.visibility} />
      </td>
      <td>
        <span className={classes.label}>Instances </span>
        <Usage app={app} usage={usage} />
      </td>
      <td>
        <span className={classes.label}>Last started </span>
        {usage === undefined ? (
          '…'
        ) : usage.lastStartedAt === null ? (
          'not known'
        ) : (
          <Age iso={usage.lastStartedAt} />
        )}
      </td>
      <td className={classes.actions}>
        <AppMenu app={app} onPick={props.onPick} />
      </td>
    </tr>
  );
}

function Usage({ app, usage }: { app: App; usage: AppUsage | undefined }) {
  if (usage === undefined) return '…';
  if (usage.instances === 0) return 'none';
  return (
    <Anchor component={Link} to={`/admin/instances${withFilter('app', app.id)}`} inherit>
      {usage.instances}
      {usage.running === 0 ? '' : `, ${usage.running} running`}
    </Anchor>
  );
}

function AppMenu({ app, onPick }: { app: App; onPick: (deed: Deed) => void }) {
  return (
    <RowMenu name={`${app.title} ${app.version}`}>
      <Menu.Item leftSection={<IconEye size={16} aria-hidden="true" />} onClick={() => onPick('visibility')}>
        Change visibility
      </Menu.Item>
      <Menu.Item
        leftSection={<IconArrowsExchange size={16} aria-hidden="true" />}
        onClick={() => onPick('give')}
      >
        Hand over
      </Menu.Item>
      <Menu.Divider />
      <Menu.Item
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        style={{ color: 'var(--mantine-color-error)' }}
        onClick={() => onPick('delete')}
      >
        Delete
      </Menu.Item>
    </RowMenu>
  );
}

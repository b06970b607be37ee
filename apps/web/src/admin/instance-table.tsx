import { Anchor, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { useSetInstanceVisibility } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';
import classes from '../components/rows.module.css';
import { reasonText, StatusLabel } from '../components/status.tsx';
import { Age } from '../components/time.tsx';
import { VisibilityLabel } from '../components/visibility.tsx';
import { VisibilityDialog } from '../components/visibility-dialog.tsx';
import { AutoPauseDialog, PauseDialog } from '../instance/pause-dialog.tsx';
import { ResumeDialog } from '../instance/resume.tsx';
import { TerminateDialog } from '../instance/terminate-dialog.tsx';
import { withFilter } from './filters.tsx';
import { GiveDialog } from './give-dialog.tsx';
import { type InstanceDeed, InstanceMenu } from './instance-menu.tsx';

/** Everybody's instances. They are looked after here, not opened: a private one is its owner's alone. */
export function AdminInstanceTable({ instances }: { instances: readonly Instance[] }) {
  const [chosen, setChosen] = useState<{ instance: Instance; deed: InstanceDeed }>();
  return (
    <>
      <table className={classes.table} aria-label="All instances">
        <thead>
          <tr>
            <th scope="col">App</th>
            <th scope="col">Owner</th>
            <th scope="col">Status</th>
            <th scope="col">Visibility</th>
            <th scope="col">Pauses after</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {instances.map((instance) => (
            <InstanceRow
              key={instance.id}
              instance={instance}
              onPick={(deed) => setChosen({ instance, deed })}
            />
          ))}
        </tbody>
      </table>
      {chosen !== undefined && <InstanceDialog {...chosen} onClose={() => setChosen(undefined)} />}
    </>
  );
}

function InstanceRow(props: { instance: Instance; onPick: (deed: InstanceDeed) => void }) {
  const { instance } = props;
  return (
    <tr>
      <td className={classes.wide}>
        <Anchor component={Link} to={`/instances/${instance.id}`} fw={600} size="sm" className="break">
          {instance.app.title}
        </Anchor>
        <Text size="xs" c="dimmed" className="break">
          {instance.app.version} · created <Age iso={instance.createdAt} />
        </Text>
      </td>
      <td className="break">
        <span className={classes.label}>Owner </span>
        <Anchor component={Link} to={withFilter('owner', instance.owner.username)} inherit>
          {instance.owner.username}
        </Anchor>
      </td>
      <td>
        <StatusLabel status={instance.status} />{' '}
        <Text size="xs" c="dimmed" component="span">
          since <Age iso={instance.since} />
        </Text>
        <Text size="xs" c="dimmed" className="clamp-2 break" title={reasonText(instance)} maw={320}>
          {reasonText(instance)}
        </Text>
      </td>
      <td>
        <VisibilityLabel visibility={instance.visibility} />
      </td>
      <td>
        <span className={classes.label}>Pauses after </span>
        {pausesAfter(instance.suspendAfter)}
      </td>
      <td className={classes.actions}>
        <InstanceMenu instance={instance} onPick={props.onPick} />
      </td>
    </tr>
  );
}

/** 8 h · 90 min · never */
function pausesAfter(seconds: Instance['suspendAfter']): string {
  if (seconds === 'never') return 'never';
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : `${Math.round(seconds / 60)} min`;
}

function InstanceDialog(props: { instance: Instance; deed: InstanceDeed; onClose: () => void }) {
  const { instance, onClose } = props;
  switch (props.deed) {
    case 'pause':
      return <PauseDialog instance={instance} onClose={onClose} />;
    case 'resume':
      return <ResumeDialog instance={instance} onClose={onClose} />;
    case 'auto-pause':
      return <AutoPauseDialog instance={instance} onClose={onClose} />;
    case 'terminate':
      return <TerminateDialog instance={instance} onClose={onClose} />;
    case 'visibility':
      return <InstanceVisibility instance={instance} onClose={onClose} />;
    case 'give':
      return (
        <GiveDialog
          kind="instances"
          id={instance.id}
          label={`this instance of ${instance.app.title}`}
          owner={instance.owner.username}
          onClose={onClose}
        />
      );
  }
}

function InstanceVisibility({ instance, onClose }: { instance: Instance; onClose: () => void }) {
  const set = useSetInstanceVisibility(instance.id);
  return (
    <VisibilityDialog
      of="instance"
      current={instance.visibility}
      onClose={onClose}
      onSave={(visibility) => set.mutateAsync(visibility)}
    />
  );
}

import { Anchor, Button, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Instance } from '../api/types.ts';
import { AppIcon } from '../components/app-icon.tsx';
import { safeHref } from '../components/safe-href.ts';
import { reasonText, StatusLabel } from '../components/status.tsx';
import { Age } from '../components/time.tsx';
import { VisibilityLabel } from '../components/visibility.tsx';
import { PausesSoon } from '../instance/countdown.tsx';
import { PauseDialog } from '../instance/pause-dialog.tsx';
import { ResumeButton } from '../instance/resume.tsx';
import { TerminateDialog } from '../instance/terminate-dialog.tsx';
import classes from './instance-list.module.css';

/** A table on wide screens, a list of cards on narrow ones: the same markup, laid out by CSS. */
export function InstanceList(props: { instances: readonly Instance[]; label: string; showOwner?: boolean }) {
  const [ending, setEnding] = useState<Instance>();
  const [pausing, setPausing] = useState<Instance>();
  return (
    <>
      <table className={classes.table} aria-label={props.label}>
        <thead>
          <tr>
            <th scope="col">App</th>
            <th scope="col">Status</th>
            <th scope="col">Visibility</th>
            {props.showOwner === true && <th scope="col">Owner</th>}
            <th scope="col">Created</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.instances.map((instance) => (
            <InstanceRow
              key={instance.id}
              instance={instance}
              showOwner={props.showOwner ?? false}
              onPause={() => setPausing(instance)}
              onTerminate={() => setEnding(instance)}
            />
          ))}
        </tbody>
      </table>
      {pausing !== undefined && <PauseDialog instance={pausing} onClose={() => setPausing(undefined)} />}
      {ending !== undefined && <TerminateDialog instance={ending} onClose={() => setEnding(undefined)} />}
    </>
  );
}

function InstanceRow(props: {
  instance: Instance;
  showOwner: boolean;
  onPause: () => void;
  onTerminate: () => void;
}) {
  const { instance } = props;
  const href = safeHref(instance.url);
  const name = `${instance.app.title} ${instance.app.version}`;
  return (
    <tr>
      <td className={classes.app}>
        <div>
          <AppIcon app={instance.app} size={32} />
          <span style={{ minWidth: 0 }}>
            <Anchor component={Link} to={`/instances/${instance.id}`} fw={600} size="sm" className="break">
              {instance.app.title}
            </Anchor>
            <Text size="xs" c="dimmed" className="break">
              {instance.app.version}
            </Text>
          </span>
        </div>
      </td>
      <td className={classes.status}>
        <StatusLabel status={instance.status} />
        <Text size="xs" c="dimmed" className="clamp-2 break" title={reasonText(instance)}>
          {reasonText(instance)}
        </Text>
        <PausesSoon instance={instance} />
      </td>
      <td>
        <VisibilityLabel visibility={instance.visibility} />
      </td>
      {props.showOwner && <td className="break">{instance.owner.username}</td>}
      <td className={classes.created}>
        <Age iso={instance.createdAt} />
      </td>
      <td className={classes.actions}>
        {instance.status === 'SUSPENDED' && instance.canManage ? (
          <ResumeButton instance={instance} size="xs" label={`Resume ${name}`} />
        ) : instance.canOpen && instance.status === 'DEPLOYED' && href !== undefined ? (
          <Button component="a" href={href} size="xs" aria-label={`Open ${name}`}>
            Open
          </Button>
        ) : (
          <Button size="xs" disabled aria-label={`Open ${name}, not possible just now`}>
            Open
          </Button>
        )}
        {instance.canReadLogs && (
          <Button
            component={Link}
            to={`/instances/${instance.id}#log`}
            size="xs"
            variant="default"
            aria-label={`Log of ${name}`}
          >
            Log
          </Button>
        )}
        {instance.canManage && instance.status !== 'SUSPENDED' && (
          <Button
            size="xs"
            variant="default"
            onClick={props.onPause}
            disabled={instance.status === 'TERMINATING'}
            aria-label={`Pause ${name}`}
          >
            Pause
          </Button>
        )}
        {instance.canManage && (
          <Button
            size="xs"
            variant="default"
            onClick={props.onTerminate}
            disabled={instance.status === 'TERMINATING'}
            aria-label={`Terminate ${name}`}
          >
            Terminate
          </Button>
        )}
      </td>
    </tr>
  );
}

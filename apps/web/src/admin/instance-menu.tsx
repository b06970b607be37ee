import { Menu } from '@mantine/core';
import {
  IconArrowsExchange,
  IconClockPause,
  IconExternalLink,
  IconEye,
  IconFileText,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Instance } from '../api/types.ts';
import { RowMenu } from '../components/row-menu.tsx';
import { safeHref } from '../components/safe-href.ts';

export type InstanceDeed = 'pause' | 'resume' | 'auto-pause' | 'visibility' | 'give' | 'terminate';

/** What an administrator can do with anybody's instance. "Open" is there only where they, too, may enter. */
export function InstanceMenu(props: { instance: Instance; onPick: (deed: InstanceDeed) => void }) {
  const { instance, onPick } = props;
  const href = safeHref(instance.url);
  const isPaused = instance.status === 'SUSPENDED';
  const name = `${instance.app.title} ${instance.app.version} of ${instance.owner.username}`;
  return (
    <RowMenu name={name} disabled={instance.status === 'TERMINATING'}>
      {instance.canOpen && instance.status === 'DEPLOYED' && href !== undefined && (
        <Menu.Item component="a" href={href} leftSection={<IconExternalLink size={16} aria-hidden="true" />}>
          Open
        </Menu.Item>
      )}
      {instance.canReadLogs && (
        <Menu.Item
          component={Link}
          to={`/instances/${instance.id}#log`}
          leftSection={<IconFileText size={16} aria-hidden="true" />}
        >
          Log
        </Menu.Item>
      )}
      {isPaused ? (
        <Menu.Item
          leftSection={<IconPlayerPlay size={16} aria-hidden="true" />}
          onClick={() => onPick('resume')}
        >
          Resume
        </Menu.Item>
      ) : (
        <Menu.Item
          leftSection={<IconPlayerPause size={16} aria-hidden="true" />}
          onClick={() => onPick('pause')}
        >
          Pause
        </Menu.Item>
      )}
      <Menu.Item
        leftSection={<IconClockPause size={16} aria-hidden="true" />}
        onClick={() => onPick('auto-pause')}
      >
        {instance.suspendAfter === 'never' ? 'Pause by itself' : 'Never pause by itself'}
      </Menu.Item>
      <Menu.Item leftSection={<IconEye size={16} aria-hidden="true" />} onClick={() => onPick('visibility')}>
        Change visibility
      </Menu.Item>
      {isPaused && (
        <Menu.Item
          leftSection={<IconArrowsExchange size={16} aria-hidden="true" />}
          onClick={() => onPick('give')}
        >
          Hand over
        </Menu.Item>
      )}
      <Menu.Divider />
      <Menu.Item
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        style={{ color: 'var(--mantine-color-error)' }}
        onClick={() => onPick('terminate')}
      >
        Terminate
      </Menu.Item>
    </RowMenu>
  );
}

import { Menu } from '@mantine/core';
import {
  IconArrowsExchange,
  IconKey,
  IconLock,
  IconLockOpen,
  IconPencil,
  IconTrash,
} from '@tabler/icons-react';
import { RowMenu } from '../components/row-menu.tsx';
import type { Deed } from './person-dialogs.tsx';
import type { Person } from './queries.ts';

/** What can be done to a person. On one's own account only what locks nobody out. */
export function PersonMenu(props: { person: Person; own: boolean; onPick: (deed: Deed) => void }) {
  const { person, onPick } = props;
  return (
    <RowMenu name={person.username}>
      <Menu.Item leftSection={<IconPencil size={16} aria-hidden="true" />} onClick={() => onPick('edit')}>
        Edit
      </Menu.Item>
      {!props.own && (
        <>
          <Menu.Item
            leftSection={<IconArrowsExchange size={16} aria-hidden="true" />}
            onClick={() => onPick('hand-over')}
          >
            Hand over what they own
          </Menu.Item>
          <Menu.Item leftSection={<IconKey size={16} aria-hidden="true" />} onClick={() => onPick('reset')}>
            Reset password
          </Menu.Item>
          {person.disabled ? (
            <Menu.Item
              leftSection={<IconLockOpen size={16} aria-hidden="true" />}
              onClick={() => onPick('enable')}
            >
              Enable
            </Menu.Item>
          ) : (
            <Menu.Item
              leftSection={<IconLock size={16} aria-hidden="true" />}
              onClick={() => onPick('disable')}
            >
              Disable
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item
            leftSection={<IconTrash size={16} aria-hidden="true" />}
            style={{ color: 'var(--mantine-color-error)' }}
            onClick={() => onPick('remove')}
          >
            Remove
          </Menu.Item>
        </>
      )}
    </RowMenu>
  );
}

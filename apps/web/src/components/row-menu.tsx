import { ActionIcon, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** What can be done to one row of a table. */
export function RowMenu(props: {
  /** Of what the row is about, for who does not see the row. */
  name: string;
  disabled?: boolean;
  children: ReactNode;
}) {
  return (
    <Menu position="bottom-end" withinPortal trapFocus>
      <Menu.Target>
        <ActionIcon
          variant="default"
          size="lg"
          aria-label={`Actions for ${props.name}`}
          disabled={props.disabled ?? false}
        >
          <IconDots size={16} aria-hidden="true" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>{props.children}</Menu.Dropdown>
    </Menu>
  );
}

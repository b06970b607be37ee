import { Avatar, Group, Text, UnstyledButton, type UnstyledButtonProps } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { ComponentPropsWithRef } from 'react';
import { useMe } from '../api/queries.ts';

export const useAccountName = (): string => {
  const me = useMe();
  return me.data?.name || me.data?.username || '';
};

/** Who is signed in. By itself what is seen before the menu has come, which is too large for the first load. */
export function AccountButton({
  name,
  ...more
}: { name: string } & UnstyledButtonProps & ComponentPropsWithRef<'button'>) {
  return (
    <UnstyledButton
      {...more}
      aria-label={`Account of ${name || 'you'}`}
      style={{ color: '#fff', borderRadius: 8 }}
    >
      <Group gap={8} wrap="nowrap" px={4} py={2}>
        <Avatar
          size={30}
          radius="xl"
          color="sun"
          variant="filled"
          styles={{ placeholder: { color: '#141414' } }}
        >
          {initials(name)}
        </Avatar>
        <Text size="sm" visibleFrom="sm" maw={160} truncate miw={40}>
          {name}
        </Text>
        <IconChevronDown size={14} aria-hidden="true" />
      </Group>
    </UnstyledButton>
  );
}

const initials = (name: string): string =>
  name
    .split(/[\s._-]+/)
    .filter((part) => part !== '')
    .slice(0, 2)
    .map((part) => part.charAt(0).toUpperCase())
    .join('');

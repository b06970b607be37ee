import { Radio, Stack, Text } from '@mantine/core';
import type { Visibility } from '../api/types.ts';
import { visibilities, visibilityName } from './visibility.tsx';

const hints: Readonly<Record<'app' | 'instance', Record<Visibility, string>>> = {
  app: {
    PRIVATE: 'Only you see it and run it.',
    ALL_USERS: 'Everybody who may sign in here sees it in the store.',
    PUBLIC: 'As "All users"; it may also be listed for people who have not signed in.',
  },
  instance: {
    PRIVATE: 'Only you can open it.',
    ALL_USERS: 'Everybody who may sign in here can open it.',
    PUBLIC: 'Anyone who can reach this address can open it, without signing in.',
  },
};

export function VisibilityChoice(props: {
  of: 'app' | 'instance';
  value: Visibility;
  onChange: (value: Visibility) => void;
  label?: string;
  disabled?: boolean;
}) {
  return (
    <Radio.Group
      label={props.label ?? 'Who can see it'}
      value={props.value}
      onChange={(value) => props.onChange(value as Visibility)}
    >
      <Stack gap="xs" mt="xs">
        {visibilities.map((visibility) => (
          <Radio
            key={visibility}
            value={visibility}
            disabled={props.disabled ?? false}
            label={visibilityName(visibility)}
            description={hints[props.of][visibility]}
          />
        ))}
      </Stack>
      {props.of === 'instance' && props.value === 'PUBLIC' && (
        <Text size="sm" mt="xs" fw={600}>
          Public means without any sign-in: choose it only for what everybody may see and do.
        </Text>
      )}
    </Radio.Group>
  );
}

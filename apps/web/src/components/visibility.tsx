import { IconLock, IconUsers, IconWorld } from '@tabler/icons-react';
import type { Visibility } from '../api/types.ts';

const names: Readonly<Record<Visibility, string>> = {
  PRIVATE: 'Private',
  ALL_USERS: 'All users',
  PUBLIC: 'Public',
};

const icons = { PRIVATE: IconLock, ALL_USERS: IconUsers, PUBLIC: IconWorld };

export const visibilities: readonly Visibility[] = ['PRIVATE', 'ALL_USERS', 'PUBLIC'];
export const visibilityName = (visibility: Visibility): string => names[visibility];

export function VisibilityLabel({ visibility }: { visibility: Visibility }) {
  const Icon = icons[visibility];
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 5, whiteSpace: 'nowrap' }}>
      <Icon size={15} stroke={1.8} aria-hidden="true" />
      {names[visibility]}
    </span>
  );
}

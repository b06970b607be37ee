import { IconApps, IconLock, IconUsers } from '@tabler/icons-react';
import type { Secret, SecretVisibility } from './queries.ts';

export const visibilityNames: Readonly<Record<SecretVisibility, string>> = {
  PRIVATE: 'Private',
  ALL_USERS: 'All users',
  APP: 'App',
};

export const visibilityHints: Readonly<Record<SecretVisibility, string>> = {
  PRIVATE: 'For apps that you import. Whoever runs them uses it; only you can read it.',
  ALL_USERS: 'For apps that anybody imports. Administrators can read it.',
  APP: 'For one app, as administrators import it. Only administrators know of it.',
};

const icons = { PRIVATE: IconLock, ALL_USERS: IconUsers, APP: IconApps };

export function SecretVisibilityLabel({ secret }: { secret: Secret }) {
  const Icon = icons[secret.visibility];
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 5 }} className="break">
      <Icon size={15} stroke={1.8} aria-hidden="true" />
      {secret.visibility === 'APP'
        ? `App ${secret.parent.replace(/^app:/, '')}`
        : visibilityNames[secret.visibility]}
    </span>
  );
}

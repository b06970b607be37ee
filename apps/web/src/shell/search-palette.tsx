import '@mantine/spotlight/styles.css';
import { useDebouncedValue } from '@mantine/hooks';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { useApps, useInstances, useMe } from '../api/queries.ts';
import { statusLabel } from '../components/status.tsx';
import { isOwnIssuer } from './own-issuer.ts';

const [store, palette] = createSpotlight();

const pages: readonly { to: string; label: string; adminsOnly?: boolean; ownIssuerOnly?: boolean }[] = [
  { to: '/', label: 'App Store' },
  { to: '/instances', label: 'My instances' },
  { to: '/my-apps', label: 'My apps' },
  { to: '/import', label: 'Import an app' },
  { to: '/cli-and-api-access', label: 'CLI & API access' },
  { to: '/account/tokens', label: 'Sessions & tokens', ownIssuerOnly: true },
  { to: '/admin/people', label: 'People', adminsOnly: true, ownIssuerOnly: true },
  { to: '/admin/groups', label: 'Groups', adminsOnly: true, ownIssuerOnly: true },
  { to: '/admin/roles', label: 'Roles', adminsOnly: true, ownIssuerOnly: true },
  { to: '/admin/service-accounts', label: 'Service accounts', adminsOnly: true, ownIssuerOnly: true },
  { to: '/admin/apps', label: 'All apps', adminsOnly: true },
  { to: '/admin/instances', label: 'All instances', adminsOnly: true },
  { to: '/admin/former-people', label: 'Left in Drive', adminsOnly: true },
];

/** Pages, apps and one's own instances by name. Opens whenever `wanted` grows. */
export function SearchPalette({ wanted }: { wanted: number }) {
  const navigate = useNavigate();
  const me = useMe();
  const [typed, setTyped] = useState('');
  const [query] = useDebouncedValue(typed.trim(), 200);
  const apps = useApps({ query });
  const instances = useInstances({ query });

  // biome-ignore lint/correctness/useExhaustiveDependencies: each time it is asked for
  useEffect(() => palette.open(), [wanted]);

  const go = (to: string) => () => void navigate(to);
  const matches = pages
    .filter((page) => page.adminsOnly !== true || me.data?.isAdmin === true)
    .filter((page) => page.ownIssuerOnly !== true || (me.data !== undefined && isOwnIssuer(me.data)))
    .filter((page) => page.label.toLowerCase().includes(typed.trim().toLowerCase()));
  const foundApps = apps.data?.pages[0]?.items.slice(0, 6) ?? [];
  const foundInstances = instances.data?.pages[0]?.items.slice(0, 6) ?? [];
  const nothing = matches.length + foundApps.length + foundInstances.length === 0;

  return (
    <Spotlight.Root store={store} query={typed} onQueryChange={setTyped} shortcut={null}>
      <Spotlight.Search placeholder="Apps, instances, pages" aria-label="Search apps, instances and pages" />
      <Spotlight.ActionsList>
        {matches.length > 0 && (
          <Spotlight.ActionsGroup label="Pages">
            {matches.map((page) => (
              <Spotlight.Action key={page.to} label={page.label} onClick={go(page.to)} />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {foundApps.length > 0 && (
          <Spotlight.ActionsGroup label="Apps">
            {foundApps.map((app) => (
              <Spotlight.Action
                key={app.id}
                label={app.title}
                description={app.description}
                onClick={go(`/apps/${app.id}`)}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {foundInstances.length > 0 && (
          <Spotlight.ActionsGroup label="My instances">
            {foundInstances.map((instance) => (
              <Spotlight.Action
                key={instance.id}
                label={`${instance.app.title} ${instance.app.version}`}
                description={statusLabel(instance.status)}
                onClick={go(`/instances/${instance.id}`)}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {nothing && <Spotlight.Empty>Nothing found</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

import { AppShell, Burger, Group, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconApps,
  IconBox,
  IconCloud,
  IconFolders,
  IconHistory,
  IconKey,
  IconLink,
  IconPlayerPlay,
  IconRobot,
  IconShield,
  IconTerminal2,
  IconUsers,
  IconUsersGroup,
} from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { Link, Outlet, useLocation } from 'react-router';
import { useMe } from '../api/queries.ts';
import type { Me } from '../api/types.ts';
import { PageLoading } from '../components/page-loading.tsx';
import { AccountButton, useAccountName } from './account-button.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import { IsolationNotice, TroubleNotice } from './isolation-notice.tsx';
import { Wordmark } from './logo.tsx';
import { isOwnIssuer } from './own-issuer.ts';
import { QuickSearch } from './quick-search.tsx';

const AccountMenu = lazy(async () => ({ default: (await import('./account-menu.tsx')).AccountMenu }));
const AccountsMark = lazy(async () => ({
  default: (await import('../accounts/accounts-mark.tsx')).AccountsMark,
}));

const accountsPlace = '/connected-accounts';
const everybody = () => true;
const importers = (me: Me | undefined) => me?.fullAccess !== false;

const places = [
  { to: '/', label: 'App Store', icon: IconApps, isFor: everybody },
  { to: '/my-apps', label: 'My apps', icon: IconBox, isFor: importers },
  { to: '/instances', label: 'My instances', icon: IconPlayerPlay, isFor: everybody },
  { to: '/workspaces', label: 'Workspaces', icon: IconFolders, isFor: everybody },
  { to: '/drive', label: 'Drive', icon: IconCloud, isFor: everybody },
  { to: '/secrets', label: 'Secrets', icon: IconKey, isFor: importers },
  { to: accountsPlace, label: 'Connected accounts', icon: IconLink, isFor: everybody },
  { to: '/cli-and-api-access', label: 'CLI & API access', icon: IconTerminal2, isFor: everybody },
];
const adminPlaces = [
  { to: '/admin/people', label: 'People', icon: IconUsers, isFor: isOwnIssuer },
  { to: '/admin/groups', label: 'Groups', icon: IconUsersGroup, isFor: isOwnIssuer },
  { to: '/admin/roles', label: 'Roles', icon: IconShield, isFor: isOwnIssuer },
  { to: '/admin/service-accounts', label: 'Service accounts', icon: IconRobot, isFor: isOwnIssuer },
  { to: '/admin/oauth-clients', label: 'OAuth clients', icon: IconLink, isFor: everybody },
  { to: '/admin/apps', label: 'All apps', icon: IconApps, isFor: everybody },
  { to: '/admin/instances', label: 'All instances', icon: IconPlayerPlay, isFor: everybody },
  { to: '/admin/former-people', label: 'Left in Drive', icon: IconCloud, isFor: everybody },
  { to: '/admin/audit', label: 'Audit trail', icon: IconHistory, isFor: everybody },
];

export function Shell() {
  const [menuOpen, menu] = useDisclosure(false);
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const firstPage = useRef(true);
  const me = useMe();
  const accountName = useAccountName();

  // A page change is silent for a screen reader and leaves the focus on what is gone, unless the focus is moved.
  // biome-ignore lint/correctness/useExhaustiveDependencies: on each change of the page
  useEffect(() => {
    menu.close();
    if (firstPage.current) {
      firstPage.current = false;
      return;
    }
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);

  const { data: who } = me;
  const administers = who?.isAdmin === true ? adminPlaces.filter((place) => place.isFor(who)) : [];
  const shown = places.filter((place) => place.isFor(me.data));
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 240, breakpoint: 'sm', collapsed: { mobile: !menuOpen } }}
      padding={{ base: 'md', sm: 'xl' }}
    >
      <a href="#main" className="skip-link">
        Skip to content
      </a>
      <AppShell.Header className="header" withBorder={false}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={menuOpen}
              onClick={menu.toggle}
              hiddenFrom="sm"
              size="sm"
              color="#fff"
              aria-label={menuOpen ? 'Close navigation' : 'Open navigation'}
              aria-expanded={menuOpen}
            />
            <Link
              to="/"
              aria-label="Haic, to the App Store"
              style={{ display: 'flex', color: '#fff', textDecoration: 'none' }}
            >
              <Wordmark />
            </Link>
          </Group>
          <Group gap="sm" wrap="nowrap">
            <QuickSearch />
            <Suspense fallback={<AccountButton name={accountName} aria-busy />}>
              <AccountMenu />
            </Suspense>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label="Main">
        {shown.map((place) => (
          <PlaceLink key={place.to} place={place} pathname={pathname} />
        ))}
        {administers.length > 0 && (
          <>
            <Text size="xs" fw={600} c="dimmed" px="sm" mt="lg" mb={4}>
              Administration
            </Text>
            {administers.map((place) => (
              <PlaceLink key={place.to} place={place} pathname={pathname} />
            ))}
          </>
        )}
      </AppShell.Navbar>
      <AppShell.Main ref={main} id="main" tabIndex={-1}>
        <TroubleNotice />
        <IsolationNotice />
        <ErrorBoundary resetKey={pathname}>
          <Suspense fallback={<PageLoading />}>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </AppShell.Main>
    </AppShell>
  );
}

function PlaceLink({
  place,
  pathname,
}: {
  place: Pick<(typeof adminPlaces)[number], 'to' | 'label' | 'icon'>;
  pathname: string;
}) {
  const here = place.to === '/' ? pathname === '/' || pathname === '/home' : pathname.startsWith(place.to);
  return (
    <NavLink
      component={Link}
      to={place.to}
      label={place.label}
      leftSection={<place.icon size={18} stroke={1.7} aria-hidden="true" />}
      active={here}
      aria-current={here ? 'page' : undefined}
      rightSection={
        place.to === accountsPlace && (
          <Suspense>
            <AccountsMark />
          </Suspense>
        )
      }
      className="place"
    />
  );
}

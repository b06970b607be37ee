import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { Route, Routes } from 'react-router';
import { sessionQuery } from './api/queries.ts';
import { useKeptNotices } from './components/kept-notices.ts';
import { NotFoundPage } from './components/not-found-page.tsx';
import { ConnectionBanner } from './shell/connection-banner.tsx';
import { Shell } from './shell/shell.tsx';
import { SignInPage } from './shell/sign-in-page.tsx';
import { SplashPage } from './shell/splash-page.tsx';
import { StorePage } from './store/store-page.tsx';

// The store is what most people open first, so it comes with the first load; every other page is its own chunk.
const MyAppsPage = lazy(async () => ({ default: (await import('./store/my-apps-page.tsx')).MyAppsPage }));
const ImportPage = lazy(async () => ({ default: (await import('./import/import-page.tsx')).ImportPage }));
const AppPage = lazy(async () => ({ default: (await import('./app/app-page.tsx')).AppPage }));
const InstancesPage = lazy(async () => ({
  default: (await import('./instances/instances-page.tsx')).InstancesPage,
}));
const InstancePage = lazy(async () => ({
  default: (await import('./instance/instance-page.tsx')).InstancePage,
}));
const AccessPage = lazy(async () => ({ default: (await import('./access/access-page.tsx')).AccessPage }));
const WorkspacesPage = lazy(async () => ({
  default: (await import('./workspaces/workspaces-page.tsx')).WorkspacesPage,
}));
const WorkspacePage = lazy(async () => ({
  default: (await import('./workspaces/workspace-page.tsx')).WorkspacePage,
}));
const SecretsPage = lazy(async () => ({ default: (await import('./secrets/secrets-page.tsx')).SecretsPage }));
const AccountsPage = lazy(async () => ({
  default: (await import('./accounts/accounts-page.tsx')).AccountsPage,
}));
const ClientsPage = lazy(async () => ({
  default: (await import('./accounts/clients-page.tsx')).ClientsPage,
}));
const DrivePage = lazy(async () => ({ default: (await import('./drive/drive-page.tsx')).DrivePage }));
const PeoplePage = lazy(async () => ({ default: (await import('./admin/people-page.tsx')).PeoplePage }));
const PersonPage = lazy(async () => ({ default: (await import('./admin/person-page.tsx')).PersonPage }));
const ServiceAccountsPage = lazy(async () => ({
  default: (await import('./admin/service-accounts-page.tsx')).ServiceAccountsPage,
}));
const GroupsPage = lazy(async () => ({ default: (await import('./admin/groups-page.tsx')).GroupsPage }));
const GroupPage = lazy(async () => ({ default: (await import('./admin/group-page.tsx')).GroupPage }));
const RolesPage = lazy(async () => ({ default: (await import('./admin/roles-page.tsx')).RolesPage }));
const RolePage = lazy(async () => ({ default: (await import('./admin/roles-page.tsx')).RolePage }));
const AdminAppsPage = lazy(async () => ({
  default: (await import('./admin/apps-page.tsx')).AdminAppsPage,
}));
const AdminInstancesPage = lazy(async () => ({
  default: (await import('./admin/instances-page.tsx')).AdminInstancesPage,
}));
const FormerPeoplePage = lazy(async () => ({
  default: (await import('./admin/former-people-page.tsx')).FormerPeoplePage,
}));
const AuditPage = lazy(async () => ({ default: (await import('./audit/audit-page.tsx')).AuditPage }));
const MyActivityPage = lazy(async () => ({
  default: (await import('./audit/audit-page.tsx')).MyActivityPage,
}));
const NoticeStack = lazy(async () => ({
  default: (await import('./shell/notice-stack.tsx')).NoticeStack,
}));
const TokensPage = lazy(async () => ({ default: (await import('./account/tokens-page.tsx')).TokensPage }));

export function App() {
  return (
    <>
      <Gate />
      <Notices />
      <ConnectionBanner />
    </>
  );
}

function Notices() {
  const notices = useKeptNotices();
  return <Suspense>{notices.length > 0 && <NoticeStack notices={notices} />}</Suspense>;
}

function Gate() {
  const session = useQuery(sessionQuery);
  const wasSignedIn = useRef(false);
  useEffect(() => {
    if (session.data?.signedIn === true) wasSignedIn.current = true;
  }, [session.data]);

  if (session.data === undefined) return <SplashPage />;
  if (!session.data.signedIn) return <SignInPage ended={wasSignedIn.current} />;
  return (
    <Routes>
      <Route element={<Shell />}>
        <Route index element={<StorePage />} />
        <Route path="home" element={<StorePage />} />
        <Route path="my-apps" element={<MyAppsPage />} />
        <Route path="import" element={<ImportPage />} />
        <Route path="apps/:id" element={<AppPage />} />
        <Route path="instances" element={<InstancesPage />} />
        <Route path="instances/:id" element={<InstancePage />} />
        <Route path="workspaces" element={<WorkspacesPage />} />
        <Route path="workspaces/:id" element={<WorkspacePage />} />
        <Route path="drive" element={<DrivePage />} />
        <Route path="secrets" element={<SecretsPage />} />
        <Route path="connected-accounts" element={<AccountsPage />} />
        <Route path="cli-and-api-access" element={<AccessPage />} />
        <Route path="account/tokens" element={<TokensPage />} />
        <Route path="account/activity" element={<MyActivityPage />} />
        <Route path="admin/audit" element={<AuditPage />} />
        <Route path="admin/people" element={<PeoplePage />} />
        {/* A user name may end like a file name (ada.png), so it never ends the address: the server would look for that file. */}
        <Route path="admin/people/:username/account" element={<PersonPage />} />
        <Route path="admin/service-accounts" element={<ServiceAccountsPage />} />
        <Route path="admin/groups" element={<GroupsPage />} />
        <Route path="admin/groups/:id" element={<GroupPage />} />
        <Route path="admin/roles" element={<RolesPage />} />
        <Route path="admin/roles/:role/members" element={<RolePage />} />
        <Route path="admin/oauth-clients" element={<ClientsPage />} />
        <Route path="admin/apps" element={<AdminAppsPage />} />
        <Route path="admin/instances" element={<AdminInstancesPage />} />
        <Route path="admin/former-people" element={<FormerPeoplePage />} />
        <Route path="*" element={<NotFoundPage />} />
      </Route>
    </Routes>
  );
}

import { Badge, Button, Group, Menu, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconDots, IconDownload, IconEye, IconTrash } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { ApiError } from '../api/problem.ts';
import { useApp, useSetAppVisibility } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import { AppIcon } from '../components/app-icon.tsx';
import { NotFoundPage } from '../components/not-found-page.tsx';
import { useDocumentTitle } from '../components/page-header.tsx';
import { PageLoading } from '../components/page-loading.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Age } from '../components/time.tsx';
import { VisibilityLabel } from '../components/visibility.tsx';
import { VisibilityDialog } from '../components/visibility-dialog.tsx';
import { AppInstances } from './app-instances.tsx';
import { DeleteAppDialog } from './delete-app-dialog.tsx';
import { MainAction } from './main-action.tsx';
import { Screenshots } from './screenshots.tsx';
import { Versions } from './versions.tsx';

// The Markdown renderer is as large as the page itself.
const LongDescription = lazy(async () => ({
  default: (await import('./long-description.tsx')).LongDescription,
}));

export function AppPage() {
  const { id = '' } = useParams();
  const app = useApp(id);
  if (app.isPending) return <PageLoading />;
  if (app.data === undefined) {
    if (app.error instanceof ApiError && (app.error.status === 404 || app.error.status === 400)) {
      return <NotFoundPage what="This app" />;
    }
    return <ProblemNotice error={app.error} onRetry={() => void app.refetch()} />;
  }
  // Another version is another app: its dialogs start anew.
  return <AppDetails key={app.data.id} app={app.data} />;
}

function AppDetails({ app }: { app: App }) {
  useDocumentTitle(app.title);
  return (
    <Stack gap="xl">
      <AppHeader app={app} />
      {app.screenshots.length > 0 && <Screenshots title={app.title} urls={app.screenshots} />}
      {app.longDescription !== '' && (
        <section aria-label="Description">
          <Suspense fallback={<Skeleton h={160} maw="72ch" />}>
            <LongDescription markdown={app.longDescription} />
          </Suspense>
        </section>
      )}
      {app.lifecycle !== 'LINK' && <AppInstances app={app} />}
      <Facts app={app} />
      {app.versions !== undefined && <Versions app={app} versions={app.versions} />}
    </Stack>
  );
}

function AppHeader({ app }: { app: App }) {
  return (
    <Group justify="space-between" align="flex-start" gap="md">
      <Group wrap="nowrap" align="flex-start" gap="md" style={{ flex: '1 1 340px', minWidth: 0 }}>
        <AppIcon app={app} size={72} />
        <div style={{ minWidth: 0 }}>
          <Title order={1} size="h2" className="break">
            {app.title}
          </Title>
          <Group gap="xs" mt={4} c="dimmed" fz="sm">
            <span className="break">{app.version}</span>
            <span aria-hidden="true">·</span>
            <span className="break">by {app.owner.username}</span>
            <span aria-hidden="true">·</span>
            <VisibilityLabel visibility={app.visibility} />
          </Group>
          {app.description !== '' && (
            <Text mt="xs" className="break">
              {app.description}
            </Text>
          )}
          {app.tags.length > 0 && (
            <Group gap={6} mt="xs">
              {app.tags.map((tag) => (
                <Badge key={tag} variant="light" tt="none" maw="100%">
                  {tag}
                </Badge>
              ))}
            </Group>
          )}
        </div>
      </Group>
      <Group gap="xs" align="flex-start">
        <MainAction app={app} />
        {(app.canManage || app.canDownload === true) && <ManageMenu app={app} />}
      </Group>
    </Group>
  );
}

function ManageMenu({ app }: { app: App }) {
  const [dialog, setDialog] = useState<'visibility' | 'delete'>();
  const setVisibility = useSetAppVisibility(app.id);
  const navigate = useNavigate();
  const close = () => setDialog(undefined);
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant="default"
            size="md"
            px="sm"
            aria-label={app.canManage ? 'Manage this app' : 'More about this app'}
          >
            <IconDots size={18} aria-hidden="true" />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {app.canDownload === true && (
            <Menu.Item
              component="a"
              href={`/api/v1/apps/${encodeURIComponent(app.id)}/bundle`}
              download
              leftSection={<IconDownload size={16} />}
            >
              Download the bundle
            </Menu.Item>
          )}
          {app.canManage && (
            <>
              <Menu.Item leftSection={<IconEye size={16} />} onClick={() => setDialog('visibility')}>
                Change visibility
              </Menu.Item>
              <Menu.Item leftSection={<IconTrash size={16} />} onClick={() => setDialog('delete')}>
                Delete this version
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      {dialog === 'visibility' && (
        <VisibilityDialog
          of="app"
          current={app.visibility}
          onClose={close}
          onSave={(visibility) => setVisibility.mutateAsync(visibility)}
        />
      )}
      {dialog === 'delete' && (
        <DeleteAppDialog
          app={app}
          onClose={close}
          onDeleted={() => void navigate('/my-apps', { replace: true })}
        />
      )}
    </>
  );
}

const lifecycles = {
  ON_DEMAND: 'Everybody runs their own instance',
  MANAGED: 'One instance for all, run by the owner',
  LINK: 'Leads to another place',
};

const Facts = ({ app }: { app: App }) => (
  <section aria-label="About this app">
    <Title order={2} size="h4" mb="sm">
      About
    </Title>
    <dl className="facts">
      <dt>Name</dt>
      <dd>{app.name}</dd>
      <dt>Kind</dt>
      <dd>{lifecycles[app.lifecycle]}</dd>
      {app.lifecycle !== 'LINK' && (
        <>
          <dt>Sign-in</dt>
          <dd>{app.oidc ? 'The app knows who you are' : 'The app does not ask who you are'}</dd>
        </>
      )}
      <dt>Imported</dt>
      <dd>
        <Age iso={app.createdAt} />
      </dd>
    </dl>
  </section>
);

import { Alert, Anchor, Badge, Button, Group, Menu, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconDots, IconDownload, IconEye, IconTrash, IconUserShare } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
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
import { HandOverDialog } from './hand-over-dialog.tsx';
import { MainAction } from './main-action.tsx';
import { PreconditionPanel } from './precondition-panel.tsx';
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
      <NobodyRunsIt app={app} />
      <PreconditionPanel app={app} />
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

/** A visit that led nowhere ends here. */
function NobodyRunsIt({ app }: { app: App }) {
  const [parameters] = useSearchParams();
  if (parameters.get('visit') !== 'none' || app.lifecycle !== 'MANAGED') return null;
  return (
    <Alert variant="outline" className="notice" title="There is nothing to visit just now">
      <Text size="sm" className="break">
        {app.canRun
          ? 'No instance of this app runs that others may open. Run one, and choose who can open it.'
          : `${app.owner.username} runs this app for everyone, and has no instance up just now that you may open. Try again later, or ask them.`}
      </Text>
    </Alert>
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
                <Anchor key={tag} component={Link} to={`/?tag=${encodeURIComponent(tag)}`} maw="100%">
                  <Badge variant="light" tt="none" maw="100%" style={{ cursor: 'pointer' }}>
                    {tag}
                  </Badge>
                </Anchor>
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
  const [dialog, setDialog] = useState<'visibility' | 'hand over' | 'delete'>();
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
              <Menu.Item leftSection={<IconUserShare size={16} />} onClick={() => setDialog('hand over')}>
                Hand over this version
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
      {dialog === 'hand over' && (
        <HandOverDialog
          app={app}
          onClose={close}
          onDone={() => {
            close();
            void navigate('/my-apps');
          }}
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

import { Alert, Anchor, Button, Group, Menu, Stack, Text, Title } from '@mantine/core';
import {
  IconClockPause,
  IconDots,
  IconExternalLink,
  IconEye,
  IconPlayerPause,
  IconTrash,
} from '@tabler/icons-react';
import { useCallback, useEffect, useState } from 'react';
import { Link, useLocation, useNavigate, useParams } from 'react-router';
import { ApiError } from '../api/problem.ts';
import { useSetInstanceVisibility } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';
import { AppIcon } from '../components/app-icon.tsx';
import { Announce, CopyIcon } from '../components/copy.tsx';
import { NotFoundPage } from '../components/not-found-page.tsx';
import { useDocumentTitle } from '../components/page-header.tsx';
import { PageLoading } from '../components/page-loading.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { safeHref } from '../components/safe-href.ts';
import { reasonText, StatusLabel, statusLabel } from '../components/status.tsx';
import { Age } from '../components/time.tsx';
import { VisibilityLabel } from '../components/visibility.tsx';
import { VisibilityDialog } from '../components/visibility-dialog.tsx';
import { Countdown } from './countdown.tsx';
import { FailurePanel } from './failure-panel.tsx';
import { LogView } from './log-view.tsx';
import { openWhenReady, wantsOpening } from './opening.ts';
import { OpeningNotice } from './opening-notice.tsx';
import { AutoPauseDialog, PauseDialog } from './pause-dialog.tsx';
import { ResumeButton, ResumeDialog } from './resume.tsx';
import { Stages, stageLabel } from './stages.tsx';
import { TerminateDialog } from './terminate-dialog.tsx';
import { useLiveInstance } from './use-live-instance.ts';

export function InstancePage() {
  const { id = '' } = useParams();
  const live = useLiveInstance(id);
  if (live.isPending) return <PageLoading />;
  if (live.data === undefined) {
    if (live.error instanceof ApiError && (live.error.status === 404 || live.error.status === 400)) {
      return <NotFoundPage what="This instance" />;
    }
    return <ProblemNotice error={live.error} onRetry={() => void live.refetch()} />;
  }
  return <InstanceDetails key={live.data.id} instance={live.data} gone={live.gone} />;
}

function InstanceDetails({ instance, gone }: { instance: Instance; gone: boolean }) {
  useDocumentTitle(`${instance.app.title}, ${gone ? 'ended' : statusLabel(instance.status).toLowerCase()}`);
  const navigate = useNavigate();
  const { pathname, search, hash, state } = useLocation();
  const forget = useCallback(
    () => void navigate(`${pathname}${hash}`, { replace: true, state: null }),
    [navigate, pathname, hash],
  );
  const answered = (resumed: boolean) =>
    void navigate(pathname, { replace: true, state: resumed ? openWhenReady : null });
  const [pausing, setPausing] = useState(false);
  const href = safeHref(instance.url);
  const opening = wantsOpening(state) && instance.status === 'DEPLOYED' && instance.canOpen && !gone;
  const failed =
    instance.status === 'FAILED' ||
    (instance.status === 'STARTING' && instance.restartCount > 0 && instance.lastFailure !== undefined);

  const isPaused = instance.status === 'SUSPENDED';
  const askToResume = new URLSearchParams(search).get('resume') === '1' && isPaused && instance.canManage;

  useEffect(() => {
    if (hash === '#log') document.getElementById('log')?.scrollIntoView({ block: 'start' });
  }, [hash]);

  return (
    <Stack gap="lg">
      <InstanceHeader instance={instance} gone={gone} href={href} onPause={() => setPausing(true)} />
      {pausing && <PauseDialog instance={instance} onClose={() => setPausing(false)} />}
      {gone && (
        <Alert variant="outline" className="notice" title="This instance has ended">
          <Group justify="space-between">
            <Text size="sm">It was terminated, and its files are removed.</Text>
            <Button component={Link} to={`/apps/${instance.app.id}`} size="xs" variant="default">
              To the app
            </Button>
          </Group>
        </Alert>
      )}
      {opening && href !== undefined && (
        <OpeningNotice title={instance.app.title} href={href} onLeave={forget} onStay={forget} />
      )}
      {!gone && failed && <FailurePanel instance={instance} />}
      {!gone && !isPaused && (
        <section className="panel" aria-label="Start" style={{ padding: '8px 16px' }}>
          <Stages stages={instance.stages} />
        </section>
      )}
      {!gone && askToResume && <ResumeDialog instance={instance} onClose={answered} />}
      {instance.canReadLogs && <LogView instance={instance} gone={gone} />}
      <Announce text={gone ? 'This instance has ended' : announcement(instance)} />
    </Stack>
  );
}

/** What a screen reader hears: states and stages, not seconds. */
function announcement(instance: Instance): string {
  const running = instance.stages.find((stage) => stage.state === 'running');
  return running === undefined ? statusLabel(instance.status) : stageLabel(running.name);
}

function InstanceHeader(props: {
  instance: Instance;
  gone: boolean;
  href: string | undefined;
  onPause: () => void;
}) {
  const { instance, gone, href } = props;
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-start" gap="md">
        <Group wrap="nowrap" align="flex-start" gap="md" style={{ flex: '1 1 320px', minWidth: 0 }}>
          <AppIcon app={instance.app} size={56} />
          <div style={{ minWidth: 0 }}>
            <Title order={1} size="h2" className="break">
              <Anchor component={Link} to={`/apps/${instance.app.id}`} inherit>
                {instance.app.title}
              </Anchor>
            </Title>
            <Group gap="xs" mt={4} c="dimmed" fz="sm">
              <span className="break">{instance.app.version}</span>
              <span aria-hidden="true">·</span>
              <span className="break">{instance.owner.username}</span>
              <span aria-hidden="true">·</span>
              <VisibilityLabel visibility={instance.visibility} />
              <span aria-hidden="true">·</span>
              <span>
                created <Age iso={instance.createdAt} />
              </span>
            </Group>
          </div>
        </Group>
        {!gone && (
          <Group gap="xs">
            {instance.status === 'SUSPENDED' && instance.canManage ? (
              <ResumeButton instance={instance} size="md" />
            ) : instance.canOpen && instance.status === 'DEPLOYED' && href !== undefined ? (
              <Button
                component="a"
                href={href}
                size="md"
                leftSection={<IconExternalLink size={16} aria-hidden="true" />}
              >
                Open
              </Button>
            ) : (
              <Button size="md" disabled>
                Open
              </Button>
            )}
            {instance.canManage && instance.status !== 'SUSPENDED' && (
              <Button
                size="md"
                variant="default"
                leftSection={<IconPlayerPause size={16} aria-hidden="true" />}
                disabled={instance.status === 'TERMINATING'}
                onClick={props.onPause}
              >
                Pause
              </Button>
            )}
            {instance.canManage && <ManageMenu instance={instance} />}
          </Group>
        )}
      </Group>
      {!gone && (
        <div>
          <Group gap="sm" wrap="nowrap" align="baseline">
            <StatusLabel status={instance.status} />
            <Text size="sm" c="dimmed">
              since <Age iso={instance.since} />
            </Text>
          </Group>
          <Text size="sm" mt={4} mih={22} className="break">
            {reasonText(instance)}
          </Text>
          <Countdown instance={instance} />
          <Group gap={4} wrap="nowrap" mt={4}>
            <Text size="sm" c="dimmed" className="break">
              {instance.url}
            </Text>
            <CopyIcon text={instance.url} what="the address" />
          </Group>
        </div>
      )}
    </Stack>
  );
}

function ManageMenu({ instance }: { instance: Instance }) {
  const [dialog, setDialog] = useState<'visibility' | 'auto-pause' | 'terminate'>();
  const setVisibility = useSetInstanceVisibility(instance.id);
  const navigate = useNavigate();
  const close = () => setDialog(undefined);
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" size="md" px="sm" aria-label="Manage this instance">
            <IconDots size={18} aria-hidden="true" />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconEye size={16} />} onClick={() => setDialog('visibility')}>
            Change visibility
          </Menu.Item>
          {instance.canSetSuspendAfter && (
            <Menu.Item leftSection={<IconClockPause size={16} />} onClick={() => setDialog('auto-pause')}>
              {instance.suspendAfter === 'never' ? 'Pause by itself' : 'Never pause by itself'}
            </Menu.Item>
          )}
          <Menu.Item
            leftSection={<IconTrash size={16} />}
            disabled={instance.status === 'TERMINATING'}
            onClick={() => setDialog('terminate')}
          >
            Terminate
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {dialog === 'visibility' && (
        <VisibilityDialog
          of="instance"
          current={instance.visibility}
          onClose={close}
          onSave={(visibility) => setVisibility.mutateAsync(visibility)}
        />
      )}
      {dialog === 'auto-pause' && <AutoPauseDialog instance={instance} onClose={close} />}
      {dialog === 'terminate' && (
        <TerminateDialog instance={instance} onClose={close} onDone={() => void navigate('/instances')} />
      )}
    </>
  );
}

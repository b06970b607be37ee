import { Button, Text } from '@mantine/core';
import { IconExternalLink, IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { useInstances } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import { safeHref } from '../components/safe-href.ts';
import { RunDialog } from './run-dialog.tsx';

/** What one does with an app of its kind: run it, visit the instance that its owner runs, or follow its link. */
export function MainAction({ app }: { app: App }) {
  if (app.lifecycle === 'LINK') return <OpenLink app={app} />;
  if (app.lifecycle === 'MANAGED') return <Visit app={app} />;
  return <Run app={app} primary />;
}

function OpenLink({ app }: { app: App }) {
  const href = app.precondition.status === 'FAILED' ? undefined : safeHref(app.linkAddress);
  if (href === undefined) return <Text c="dimmed">This app's address cannot be opened.</Text>;
  return (
    <Button
      component="a"
      href={href}
      target="_blank"
      rel="noopener noreferrer"
      size="md"
      rightSection={<IconExternalLink size={16} aria-hidden="true" />}
    >
      Open
    </Button>
  );
}

function Visit({ app }: { app: App }) {
  const instances = useInstances({ appId: app.id, all: true });
  const isOpen = (instances.data?.pages.flatMap((page) => page.items) ?? []).some(
    (instance) => instance.status === 'DEPLOYED' && instance.canOpen,
  );
  return (
    <>
      {isOpen ? (
        // The platform picks the newest at that moment.
        <Button component="a" href={`/api/v1/apps/${encodeURIComponent(app.id)}/visit`} size="md">
          Visit
        </Button>
      ) : (
        <Button size="md" disabled loading={instances.isPending} title="Its owner has to run it first">
          {app.canRun ? 'Visit' : 'Not running just now'}
        </Button>
      )}
      {app.canRun && <Run app={app} primary={false} />}
    </>
  );
}

function Run({ app, primary }: { app: App; primary: boolean }) {
  const [asking, setAsking] = useState(false);
  return (
    <div>
      <Button
        size="md"
        variant={primary ? 'filled' : 'default'}
        onClick={() => setAsking(true)}
        disabled={!app.canRun}
        leftSection={<IconPlayerPlay size={16} aria-hidden="true" />}
        aria-describedby={app.canRun ? undefined : 'cannot-run'}
      >
        Run
      </Button>
      {!app.canRun && app.precondition.status === 'PASSED' && (
        <Text id="cannot-run" size="sm" c="dimmed" mt={6} maw={220}>
          {app.cannotRunBecause || 'You may see this app, but not run it.'}
        </Text>
      )}
      {asking && <RunDialog app={app} onClose={() => setAsking(false)} />}
    </div>
  );
}

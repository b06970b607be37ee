import { Anchor, Button, Group, List, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { detailOf } from '../api/problem.ts';
import { useDeleteApp } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import { Announce } from '../components/copy.tsx';
import { useReturnFocus } from '../components/return-focus.ts';

interface Refusal {
  readonly app: App;
  readonly why: string;
}

/** Deletes several versions, one after the other. What is refused stays, and the dialog stays open to say why. */
export function DeleteAppsDialog(props: {
  apps: readonly App[];
  onClose: () => void;
  onDeleted: (id: string) => void;
}) {
  useReturnFocus();
  // The list behind it changes while they go.
  const [apps] = useState(props.apps);
  const [deleted, setDeleted] = useState(0);
  const [refusals, setRefusals] = useState<readonly Refusal[]>();
  const [busy, setBusy] = useState(false);
  const deleteApp = useDeleteApp();

  const start = async (): Promise<void> => {
    setBusy(true);
    const refused: Refusal[] = [];
    for (const app of apps) {
      try {
        await deleteApp.mutateAsync(app.id);
        props.onDeleted(app.id);
        setDeleted((count) => count + 1);
      } catch (problem) {
        refused.push({ app, why: detailOf(problem) });
      }
    }
    setBusy(false);
    if (refused.length === 0) props.onClose();
    else setRefusals(refused);
  };

  const nameOf = (app: App) => `${app.title} ${app.version}`;
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={`Delete ${apps.length} ${apps.length === 1 ? 'version' : 'versions'}?`}
      centered
      closeOnEscape={!busy}
      closeOnClickOutside={!busy}
      withCloseButton={!busy}
    >
      <Stack>
        {refusals === undefined ? (
          <>
            <Text size="sm">
              Their bundles, icons and screenshots are removed for good. What has instances stays.
            </Text>
            <List size="sm" mah="40vh" style={{ overflowY: 'auto' }}>
              {apps.map((app) => (
                <List.Item key={app.id} className="break">
                  {nameOf(app)}
                </List.Item>
              ))}
            </List>
          </>
        ) : (
          <>
            <Text size="sm">
              {deleted} deleted, {refusals.length} not:
            </Text>
            <List size="sm" spacing="xs" mah="40vh" style={{ overflowY: 'auto' }} aria-label="Not deleted">
              {refusals.map(({ app, why }) => (
                <List.Item key={app.id} className="break">
                  <Anchor component={Link} to={`/apps/${app.id}`} underline="always" inherit>
                    {nameOf(app)}
                  </Anchor>
                  : {why}
                </List.Item>
              ))}
            </List>
          </>
        )}
        <Announce text={busy ? `${deleted} of ${apps.length} deleted` : ''} />
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose} disabled={busy} data-autofocus>
            {refusals === undefined ? 'Cancel' : 'Close'}
          </Button>
          {refusals === undefined && (
            <Button color="red.8" onClick={() => void start()} loading={busy}>
              Delete
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

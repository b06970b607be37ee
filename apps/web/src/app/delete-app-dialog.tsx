import { Anchor, List, Text } from '@mantine/core';
import { Link } from 'react-router';
import { useDeleteApp, useInstances } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { statusLabel } from '../components/status.tsx';

const shown = 5;

/** Says beforehand what stands in the way: an app with instances is not deleted. */
export function DeleteAppDialog(props: { app: App; onClose: () => void; onDeleted: () => void }) {
  const { app } = props;
  const deleteApp = useDeleteApp();
  const instances = useInstances({ appId: app.id, all: true });
  const blocking = instances.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <ConfirmDialog
      title={`Delete ${app.title} ${app.version}?`}
      action="Delete"
      disabled={blocking.length > 0}
      onClose={props.onClose}
      onConfirm={async () => {
        await deleteApp.mutateAsync(app.id);
        props.onDeleted();
      }}
    >
      {blocking.length === 0 ? (
        <Text>
          This version's bundle, icon and screenshots are removed for good. Other versions of the app stay.
        </Text>
      ) : (
        <>
          <Text>
            It cannot be deleted while it has instances: terminate them first. To only retire the app, make it
            private instead.
          </Text>
          <List mt="sm" size="sm">
            {blocking.slice(0, shown).map((instance) => (
              <List.Item key={instance.id}>
                <Anchor component={Link} to={`/instances/${instance.id}`} underline="always">
                  {statusLabel(instance.status)}, of {instance.owner.username}
                </Anchor>
              </List.Item>
            ))}
          </List>
          {blocking.length > shown && <Text size="sm">and {blocking.length - shown} more</Text>}
        </>
      )}
    </ConfirmDialog>
  );
}

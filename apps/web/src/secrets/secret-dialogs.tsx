import { Anchor, Button, Group, List, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { CodeBlock } from '../components/copy.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { type Secret, type SecretDetails, useDeleteSecret, useSecretDetails } from './queries.ts';
import { manifestLines } from './values.ts';

/** Says first which apps use it: as long as one does, it is not deleted. */
export function DeleteSecretDialog(props: {
  secret: Secret;
  onClose: () => void;
  onDeleted: (secret: Secret) => void;
}) {
  const { secret } = props;
  const details = useSecretDetails(secret);
  const remove = useDeleteSecret();
  const isUsed =
    details.data !== undefined && details.data.usedBy.apps.length + details.data.usedBy.others > 0;
  return (
    <ConfirmDialog
      title={`Delete ${secret.name}?`}
      action="Delete"
      disabled={details.data === undefined || isUsed}
      onClose={props.onClose}
      onConfirm={async () => {
        await remove.mutateAsync(secret);
        props.onDeleted(secret);
      }}
    >
      {details.isPending && <Skeleton h={60} aria-busy="true" aria-label="Looking who uses it" />}
      <ProblemNotice error={details.error} onRetry={() => void details.refetch()} />
      {details.data !== undefined &&
        (isUsed ? (
          <>
            <Text mb="xs">Apps use it, so it cannot be deleted:</Text>
            <Users of={details.data} />
          </>
        ) : (
          <Text>No app uses it. It can be brought back for thirty days.</Text>
        ))}
    </ConfirmDialog>
  );
}

export function Users({ of: { usedBy } }: { of: SecretDetails }) {
  return (
    <List size="sm" aria-label="Apps that use it">
      {usedBy.apps.map((app) => (
        <List.Item key={app.id}>
          <Anchor component={Link} to={`/apps/${app.id}`} size="sm" underline="always">
            {app.title} {app.version}
          </Anchor>{' '}
          of {app.owner} ({app.keys.join(', ')})
        </List.Item>
      ))}
      {usedBy.others > 0 && (
        <List.Item>
          {usedBy.apps.length === 0 ? '' : 'and '}
          {usedBy.others} {usedBy.others === 1 ? 'app' : 'apps'} of others, which you may not see
        </List.Item>
      )}
    </List>
  );
}

/** What to write into app.toml. */
export function ManifestDialog(props: { reference: string; keys: readonly string[]; onClose: () => void }) {
  useReturnFocus();
  const firstKey = props.keys[0] ?? 'key';
  return (
    <Modal opened onClose={props.onClose} title="In app.toml" centered size="lg">
      <Stack>
        <Text size="sm">As variables of the app’s environment:</Text>
        <CodeBlock code={manifestLines(props.reference, props.keys)} what="the lines for app.toml" />
        <Text size="sm">
          For a file, write <code>[[File]]</code> and <code>Path = "secrets/{firstKey}"</code> instead of{' '}
          <code>[[Env]]</code> and <code>Name</code>. With <code>Optional = true</code> the app also starts
          without it.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Close
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

import { Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { type Secret, useSecretDetails } from './queries.ts';
import { Users } from './secret-dialogs.tsx';

export function UsersDialog({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  useReturnFocus();
  const details = useSecretDetails(secret);
  const used = details.data?.usedBy;
  return (
    <Modal opened onClose={onClose} title={`Who uses ${secret.name}`} centered>
      <Stack>
        {details.isPending && <Skeleton h={60} aria-busy="true" aria-label="Looking who uses it" />}
        <ProblemNotice error={details.error} onRetry={() => void details.refetch()} />
        {details.data !== undefined && used !== undefined && used.apps.length + used.others > 0 && (
          <Users of={details.data} />
        )}
        {used !== undefined && used.apps.length + used.others === 0 && (
          <Text size="sm">No app uses it. “Copy as app.toml” has the lines by which one would.</Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Close
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

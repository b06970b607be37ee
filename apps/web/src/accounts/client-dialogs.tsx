import { Button, Group, List, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { CodeBlock } from '../components/copy.tsx';
import { More } from '../components/more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import {
  type OAuthClient,
  titleOfClient,
  useClientPeople,
  useDeleteClient,
  useReplaceClientSecret,
} from './client-queries.ts';
import { SecretField } from './secret-field.tsx';

type Props = { client: OAuthClient; onClose: () => void };

/** What to register at the provider. */
export function CallbackDialog({ client, onClose }: Props) {
  useReturnFocus();
  return (
    <Modal opened onClose={onClose} title={`Redirect address of ${titleOfClient(client)}`} centered size="lg">
      <Stack>
        <Text size="sm">Register this at the provider, letter by letter:</Text>
        <CodeBlock code={client.callbackUri} what="the redirect address" />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

export function ReplaceSecretDialog({ client, onClose }: Props) {
  useReturnFocus();
  const replace = useReplaceClientSecret(client);
  const [secret, setSecret] = useState('');
  const [tried, setTried] = useState(false);
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (secret === '') return;
    await replace.mutateAsync(secret);
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title={`Replace the secret of ${titleOfClient(client)}`} centered>
      {/* What went wrong is shown below. */}
      <form onSubmit={(event) => void save(event).catch(() => undefined)} autoComplete="off" noValidate>
        <Stack>
          <Text size="sm" c="dimmed">
            For one that was changed at the provider. Accounts stay connected and are renewed with the new
            one.
          </Text>
          <SecretField
            label="New client secret"
            value={secret}
            onChange={setSecret}
            error={tried && secret === '' ? 'Paste what the provider gave you.' : undefined}
          />
          <ProblemNotice error={replace.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={replace.isPending}>
              Replace
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Names first whose accounts go with it. */
export function DeleteClientDialog({ client, onClose }: Props) {
  const people = useClientPeople(client);
  const remove = useDeleteClient();
  const items = people.data?.pages.flatMap((page) => page.items) ?? [];
  const total = people.data?.pages[0]?.total ?? 0;
  return (
    <ConfirmDialog
      title={`Delete ${titleOfClient(client)}?`}
      action="Delete"
      disabled={!people.isSuccess}
      onClose={onClose}
      onConfirm={() => remove.mutateAsync(client)}
    >
      {people.isPending && <Skeleton h={60} aria-busy="true" aria-label="Looking who has accounts by it" />}
      <ProblemNotice error={people.error} onRetry={() => void people.refetch()} />
      {people.isSuccess && total === 0 && <Text>Nobody has connected an account by it.</Text>}
      {total > 0 && (
        <Stack gap="xs">
          <Text>
            {total === 1 ? 'One person loses' : `${total} people lose`} what they connected by it, and their
            apps can no longer act for them there. It cannot be undone.
          </Text>
          <List size="sm" aria-label="Who is concerned">
            {items.map(({ subject, username, accounts }) => (
              <List.Item key={subject}>
                {username}
                {accounts > 1 && ` (${accounts} accounts)`}
              </List.Item>
            ))}
          </List>
          <More of={people} />
        </Stack>
      )}
    </ConfirmDialog>
  );
}

import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Picker, useTyped } from '../components/picker.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { problemOfId } from '../secrets/ids.ts';
import { titleOfClient, useClients } from './client-queries.ts';
import { type Account, useCreateAccount, useLogIn } from './queries.ts';

/** Chooses a provider and a name, and sends the browser there. Stays open with the reason when that cannot be. */
export function ConnectDialog({ taken, onClose }: { taken: readonly Account[]; onClose: () => void }) {
  useReturnFocus();
  const by = useTyped();
  const clients = useClients(by.query);
  const found = clients.data?.pages[0]?.items ?? [];
  const [client, setClient] = useState<string>();
  const [typed, setTyped] = useState<string>();
  const [tried, setTried] = useState(false);
  const create = useCreateAccount();
  const logIn = useLogIn();
  // Of one provider there is nothing to choose.
  const chosen = client ?? (by.query === '' && found.length === 1 ? found[0]?.id : undefined);
  const id = typed ?? freeId(chosen, taken);
  const busy = create.isPending || logIn.isPending;

  const connect = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (chosen === undefined || problemOfId(id) !== undefined) return;
    await logIn.mutateAsync(await create.mutateAsync({ client: chosen, id }));
  };

  return (
    <Modal opened onClose={onClose} title="Connect an account" centered>
      {/* What went wrong is shown below. */}
      <form onSubmit={(event) => void connect(event).catch(() => undefined)} autoComplete="off" noValidate>
        <Stack>
          <Picker
            label="Where"
            by={by}
            search={clients}
            found={found.map((each) => ({
              ...{ value: each.id, label: titleOfClient(each), description: each.issuer },
            }))}
            nothing="There is no such provider. Administrators register them."
            value={chosen}
            onChange={setClient}
            disabled={busy}
          />
          {tried && chosen === undefined && (
            <Text size="sm" c="red" role="alert">
              Choose one.
            </Text>
          )}
          <TextInput
            label="Name"
            description="How apps call it. You may have several accounts at one provider."
            value={id}
            onChange={(event) => setTyped(event.currentTarget.value)}
            error={tried || typed !== undefined ? problemOfId(id) : undefined}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            disabled={busy}
          />
          <Text size="sm" c="dimmed">
            You log in there next, and are back here afterwards.
          </Text>
          <ProblemNotice error={create.error ?? logIn.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Log in there
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function freeId(client: string | undefined, taken: readonly Account[]): string {
  const ids = new Set(taken.filter((each) => each.client.id === client).map(({ id }) => id));
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? 'mine' : `mine-${number}`;
    if (!ids.has(id)) return id;
  }
}

import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useHandOverApp } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import { useOutliving } from '../components/kept-notices.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';

/** Another person becomes the owner of this version. Names are typed, not picked: not everybody may see who there is. */
export function HandOverDialog(props: { app: App; onClose: () => void; onDone: () => void }) {
  const { app } = props;
  useReturnFocus();
  const [owner, setOwner] = useState('');
  const handOver = useHandOverApp(app.id);
  const outliving = useOutliving();
  const name = owner.trim();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name === '') return;
    const title = `${app.title} ${app.version} was not handed over`;
    // What went wrong is shown below.
    outliving(title, handOver.mutateAsync(name)).then(props.onDone, () => undefined);
  };
  return (
    <Modal opened onClose={props.onClose} title={`Hand over ${app.title} ${app.version}`} centered>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">
            The new owner decides over this version: who sees it, and when it is deleted. They may read the
            logs of its instances. Other versions stay with their owners.
            {app.visibility === 'PRIVATE' && ' It is private, so you will no longer see it.'}
          </Text>
          <TextInput
            label="User name of the new owner"
            value={owner}
            onChange={(event) => setOwner(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            maxLength={200}
            disabled={handOver.isPending}
            required
            data-autofocus
          />
          <ProblemNotice error={handOver.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={handOver.isPending} disabled={name === ''}>
              Hand over
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

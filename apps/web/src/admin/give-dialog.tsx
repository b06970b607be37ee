import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useOutliving } from '../components/kept-notices.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { PersonPicker } from './person-picker.tsx';
import { useGive } from './store.ts';

/** Gives one app or one instance to somebody else. */
export function GiveDialog(props: {
  kind: 'apps' | 'instances';
  id: string;
  label: string;
  owner: string;
  onClose: () => void;
}) {
  useReturnFocus();
  const give = useGive(props.kind, props.id);
  const outliving = useOutliving();
  const [to, setTo] = useState<string>();
  const save = async (): Promise<void> => {
    if (to === undefined) return;
    await outliving(`${props.label} was not handed over`, give.mutateAsync(to));
    props.onClose();
  };
  return (
    <Modal opened onClose={props.onClose} title={`Hand over ${props.label}`} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // What went wrong is shown below.
          void save().catch(() => undefined);
        }}
      >
        <Stack>
          <Text size="sm">
            {props.kind === 'apps'
              ? `This version is ${props.owner}’s. Its new owner decides over it, and sees the instances of it and their logs.`
              : `It is ${props.owner}’s, with the files that it keeps. It can be handed over while it is paused and ${props.owner} is disabled or gone.`}
          </Text>
          <PersonPicker
            label="New owner"
            value={to}
            onChange={setTo}
            isOffered={({ username }) => username !== props.owner}
            disabled={give.isPending}
          />
          <ProblemNotice error={give.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={give.isPending} disabled={to === undefined}>
              Hand over
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

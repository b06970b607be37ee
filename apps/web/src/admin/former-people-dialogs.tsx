import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { useOutliving } from '../components/kept-notices.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import {
  type FormerPerson,
  inWords,
  nameOf,
  trashInWords,
  useHandOverDrive,
  usePurgeDrive,
} from './former-people.ts';
import { PersonPicker } from './person-picker.tsx';

interface Props {
  readonly person: FormerPerson;
  readonly onClose: () => void;
}

export function HandOverDriveDialog({ person, onClose }: Props) {
  useReturnFocus();
  const handOver = useHandOverDrive(person.subject);
  const outliving = useOutliving();
  const [to, setTo] = useState<string>();
  const give = async (): Promise<void> => {
    if (to === undefined) return;
    const title = `Not all that ${nameOf(person)} left in Drive was handed over`;
    await outliving(title, handOver.mutateAsync({ to }));
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title={`Hand over what ${nameOf(person)} left in Drive`} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // What went wrong is shown below.
          void give().catch(() => undefined);
        }}
      >
        <Stack>
          <Text size="sm" className="break">
            {inWords(person.usage)}: all of it goes into a folder <b>from {nameOf(person)}</b> of the new
            owner’s own bucket, and counts in their quota. The trash is not handed over.
          </Text>
          <PersonPicker label="New owner" value={to} onChange={setTo} disabled={handOver.isPending} />
          {handOver.isPending && (
            <Text size="sm" c="dimmed">
              This may take a while. It goes on when you close this.
            </Text>
          )}
          <ProblemNotice error={handOver.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {handOver.isPending ? 'Close' : 'Cancel'}
            </Button>
            <Button type="submit" loading={handOver.isPending} disabled={to === undefined}>
              Hand over
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

export function PurgeDriveDialog({ person, onClose }: Props) {
  const purge = usePurgeDrive(person.subject);
  const parts = [inWords(person.usage), trashInWords(person)].filter((part) => part !== '');
  return (
    <ConfirmDialog
      title={`Purge what ${nameOf(person)} left in Drive?`}
      action="Purge"
      onClose={onClose}
      onConfirm={() => purge.mutateAsync()}
    >
      <Text className="break">
        {parts.length === 0 ? 'What is left is' : `${parts.join(' and ')}: all of it is`} removed now, instead
        of on {new Date(person.purgeAt).toLocaleDateString()}. This cannot be undone.
      </Text>
    </ConfirmDialog>
  );
}

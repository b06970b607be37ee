import { Button, Group, Modal, Stack } from '@mantine/core';
import { useState } from 'react';
import type { Visibility } from '../api/types.ts';
import { ProblemNotice } from './problem-notice.tsx';
import { useReturnFocus } from './return-focus.ts';
import { VisibilityChoice } from './visibility-choice.tsx';

export function VisibilityDialog(props: {
  of: 'app' | 'instance';
  current: Visibility;
  onClose: () => void;
  onSave: (visibility: Visibility) => Promise<unknown>;
}) {
  useReturnFocus();
  const [chosen, setChosen] = useState(props.current);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<unknown>();

  const save = async (): Promise<void> => {
    setSaving(true);
    setError(undefined);
    try {
      await props.onSave(chosen);
      props.onClose();
    } catch (problem) {
      setError(problem);
      setSaving(false);
    }
  };

  return (
    <Modal opened onClose={props.onClose} title="Change visibility" centered>
      <Stack>
        <VisibilityChoice of={props.of} value={chosen} onChange={setChosen} disabled={saving} />
        <ProblemNotice error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button onClick={() => void save()} loading={saving} disabled={chosen === props.current}>
            Save
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

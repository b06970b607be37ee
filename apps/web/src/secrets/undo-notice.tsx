import { Alert, Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';

/** What was just deleted, and its way back. Said by a screen reader, since the list merely got shorter. */
export function UndoNotice(props: { what: string; onUndo: () => Promise<unknown>; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const undo = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await props.onUndo();
      props.onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <>
      <Alert
        variant="outline"
        className="notice"
        role="status"
        withCloseButton
        onClose={props.onClose}
        closeButtonLabel="Dismiss"
      >
        <Group justify="space-between" gap="xs">
          <Text size="sm" className="break">
            {props.what} is deleted.
          </Text>
          <Button size="xs" variant="default" onClick={() => void undo()} loading={busy}>
            Undo
          </Button>
        </Group>
      </Alert>
      <ProblemNotice error={error} />
    </>
  );
}

import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { CodeBlock } from '../components/copy.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import type { SecretValues } from './queries.ts';

/** Asks before it reads, since reading is recorded; what was read is forgotten with the dialog. */
export function RevealDialog(props: {
  title: string;
  onReveal: () => Promise<SecretValues>;
  onClose: () => void;
}) {
  useReturnFocus();
  const [values, setValues] = useState<SecretValues>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const reveal = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      setValues(await props.onReveal());
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  return (
    <Modal opened onClose={props.onClose} title={props.title} centered size="lg">
      <Stack>
        {values === undefined ? (
          <Text size="sm">The values are shown here. That you have read them is recorded.</Text>
        ) : (
          Object.entries(values).map(([key, value]) => (
            <div key={key} data-testid="value">
              <Text size="sm" fw={600} mb={4} className="break">
                {key}
                {typeof value !== 'string' && ' (no text; in base64)'}
              </Text>
              <CodeBlock code={typeof value === 'string' ? value : value.base64} what={key} />
            </div>
          ))
        )}
        <ProblemNotice error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            {values === undefined ? 'Cancel' : 'Close'}
          </Button>
          {values === undefined && (
            <Button onClick={() => void reveal()} loading={busy} data-autofocus>
              Show the values
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

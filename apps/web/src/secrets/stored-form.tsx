import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { problemOfId } from './ids.ts';
import type { SecretValue } from './queries.ts';
import { ValueFields } from './value-fields.tsx';
import { keptRow, problemOfRow, type ValueRow } from './values.ts';

/** The one key of a secret of the secure store. */
const onlyRow: ValueRow = { ...keptRow('value', 1), kept: false };

/** One value: of a new secret of a workspace, or a new version of one. */
export function StoredForm(props: {
  title: string;
  asksId: boolean;
  onSave: (id: string, value: SecretValue) => Promise<unknown>;
  onClose: () => void;
}) {
  useReturnFocus();
  const [id, setId] = useState('');
  const [row, setRow] = useState(onlyRow);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const idProblem = props.asksId ? problemOfId(id) : undefined;
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (idProblem !== undefined || problemOfRow(row, [row]) !== undefined) return;
    setBusy(true);
    setError(undefined);
    try {
      await props.onSave(id, row.file?.value ?? row.text);
      props.onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={props.onClose} title={props.title} centered size="lg">
      <form onSubmit={(event) => void save(event)} autoComplete="off" noValidate>
        <Stack>
          {props.asksId && (
            <TextInput
              label="Name"
              value={id}
              onChange={(event) => setId(event.currentTarget.value)}
              error={tried || id !== '' ? idProblem : undefined}
              autoComplete="off"
              spellCheck={false}
              data-autofocus
            />
          )}
          <ValueFields
            rows={[row]}
            only="value"
            onChange={([changed = row]) => setRow(changed)}
            tried={tried}
            disabled={busy}
          />
          <ProblemNotice error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Keep it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

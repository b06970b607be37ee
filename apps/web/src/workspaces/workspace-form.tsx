import { Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { useSaveWorkspace, type Workspace } from './queries.ts';

/** Makes a workspace, or changes how one is described. Stays open with the reason when it is refused. */
export function WorkspaceForm(props: {
  workspace?: Workspace;
  onClose: () => void;
  onSaved?: (workspace: Workspace) => void;
}) {
  useReturnFocus();
  // As it was when the form was opened: what somebody else changes meanwhile is not overwritten.
  const [before] = useState(props.workspace);
  const saving = useSaveWorkspace(before);
  const [displayName, setDisplayName] = useState(before?.displayName ?? '');
  const [description, setDescription] = useState(before?.description ?? '');
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const saved = await saving.mutateAsync({ displayName, description });
    props.onClose();
    props.onSaved?.(saved);
  };
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={before === undefined ? 'Make a workspace' : 'Describe the workspace'}
      centered
    >
      {/* What went wrong is shown below. */}
      <form onSubmit={(event) => void save(event).catch(() => undefined)}>
        <Stack>
          <TextInput
            label="Name"
            value={displayName}
            onChange={(event) => setDisplayName(event.currentTarget.value)}
            maxLength={120}
            required
            autoComplete="off"
            data-autofocus
          />
          <Textarea
            label="Description"
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
            maxLength={4000}
            rows={3}
          />
          <ProblemNotice error={saving.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={saving.isPending}>
              {before === undefined ? 'Make' : 'Save'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

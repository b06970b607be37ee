import { Button, Modal, Group as Row, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { type Group, sizeOf, useDeleteGroup, useSaveGroup } from './groups.ts';

/** Makes a group, or renames one. */
export function GroupNameDialog(props: {
  group?: Group;
  onClose: () => void;
  onSaved?: (group: Group) => void;
}) {
  useReturnFocus();
  const { group } = props;
  const saving = useSaveGroup(group?.id);
  const [name, setName] = useState(group?.name ?? '');
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const saved = await saving.mutateAsync(name);
    props.onClose();
    props.onSaved?.(saved);
  };
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={group === undefined ? 'Make a group' : `Rename ${group.name}`}
      centered
    >
      {/* What went wrong is shown below. */}
      <form onSubmit={(event) => void save(event).catch(() => undefined)}>
        <Stack>
          <TextInput
            label="Name"
            description="Apps see it in the tokens of whoever is in the group."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            maxLength={127}
            required
            autoComplete="off"
            data-autofocus
          />
          {group !== undefined && sizeOf(group) > 0 && (
            <Text size="sm">
              Whoever is in it stays in it. An app that looks for the old name no longer finds it.
            </Text>
          )}
          <ProblemNotice error={saving.error} />
          <Row justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={saving.isPending}>
              {group === undefined ? 'Make' : 'Rename'}
            </Button>
          </Row>
        </Stack>
      </form>
    </Modal>
  );
}

export function DeleteGroupDialog(props: { group: Group; onClose: () => void; onDeleted?: () => void }) {
  const { group } = props;
  const size = sizeOf(group);
  const remove = useDeleteGroup(group.id);
  return (
    <ConfirmDialog
      title={`Delete the group ${group.name}?`}
      action="Delete"
      onClose={props.onClose}
      onConfirm={async () => {
        await remove.mutateAsync();
        props.onDeleted?.();
      }}
    >
      <Text>
        {size === 0
          ? 'Nobody is in it.'
          : `${size === 1 ? 'One member is' : `${size} members are`} taken out of it, and what apps allow to the group they can no longer do. No account is removed.`}
      </Text>
    </ConfirmDialog>
  );
}

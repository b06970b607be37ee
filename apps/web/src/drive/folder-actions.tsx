import { Button, Group, Text } from '@mantine/core';
import { IconCode, IconFolderPlus, IconLink, IconTrash } from '@tabler/icons-react';
import { count } from './format.ts';
import { UploadButton } from './upload-button.tsx';
import type { ChosenFile } from './uploads.ts';

/** What can be done in a folder whatever is selected. */
export function FolderActions(props: {
  canWrite: boolean;
  onAsk: (act: 'folder' | 'links' | 'trash' | 'snippets') => void;
  onFiles: (files: readonly ChosenFile[]) => void;
}) {
  return (
    <Group gap="xs">
      <Button
        variant="default"
        leftSection={<IconCode size={16} aria-hidden="true" />}
        onClick={() => props.onAsk('snippets')}
      >
        From programs
      </Button>
      <Button
        variant="default"
        leftSection={<IconLink size={16} aria-hidden="true" />}
        onClick={() => props.onAsk('links')}
      >
        My links
      </Button>
      <Button
        variant="default"
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        onClick={() => props.onAsk('trash')}
      >
        Trash
      </Button>
      {props.canWrite && (
        <>
          <Button
            variant="default"
            leftSection={<IconFolderPlus size={16} aria-hidden="true" />}
            onClick={() => props.onAsk('folder')}
          >
            New folder
          </Button>
          <UploadButton onFiles={props.onFiles} />
        </>
      )}
    </Group>
  );
}

/** What can be done with all that is selected; nothing where nothing is. */
export function SelectionActions(props: {
  keys: readonly string[];
  canWrite: boolean;
  onTransfer: (act: 'copy' | 'move', keys: readonly string[]) => void;
  onDelete: (keys: readonly string[]) => void;
}) {
  const { keys } = props;
  if (keys.length === 0) return null;
  return (
    <Group gap="xs">
      <Text size="sm" role="status">
        {count(keys.length)} selected
      </Text>
      <Button size="xs" variant="default" onClick={() => props.onTransfer('copy', keys)}>
        Copy to
      </Button>
      {props.canWrite && (
        <>
          <Button size="xs" variant="default" onClick={() => props.onTransfer('move', keys)}>
            Move to
          </Button>
          <Button size="xs" variant="default" onClick={() => props.onDelete(keys)}>
            Delete
          </Button>
        </>
      )}
    </Group>
  );
}

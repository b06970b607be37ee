import { Button, Menu } from '@mantine/core';
import { IconChevronDown, IconFile, IconFolder, IconUpload } from '@tabler/icons-react';
import { useRef } from 'react';
import { filesOfInput } from './chosen-files.ts';
import type { ChosenFile } from './uploads.ts';

/** Files, or a folder with all that is in it. */
export function UploadButton({ onFiles }: { onFiles: (files: readonly ChosenFile[]) => void }) {
  const files = useRef<HTMLInputElement>(null);
  const folders = useRef<HTMLInputElement>(null);
  // Beside the menu, which is gone while the browser asks for the files.
  const common = {
    type: 'file',
    hidden: true,
    multiple: true,
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => {
      onFiles(filesOfInput(event.currentTarget.files));
      event.currentTarget.value = '';
    },
  } as const;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            leftSection={<IconUpload size={16} aria-hidden="true" />}
            rightSection={<IconChevronDown size={14} aria-hidden="true" />}
          >
            Upload
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconFile size={16} aria-hidden="true" />}
            onClick={() => files.current?.click()}
          >
            Files
          </Menu.Item>
          <Menu.Item
            leftSection={<IconFolder size={16} aria-hidden="true" />}
            onClick={() => folders.current?.click()}
          >
            A folder
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <input ref={files} {...common} aria-label="Files to upload" />
      <input ref={folders} {...common} aria-label="Folder to upload" {...{ webkitdirectory: '' }} />
    </>
  );
}

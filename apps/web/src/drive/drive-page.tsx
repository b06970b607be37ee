import { Button, Group, Menu, NativeSelect, Stack, Text } from '@mantine/core';
import {
  IconChevronDown,
  IconCode,
  IconFile,
  IconFolder,
  IconFolderPlus,
  IconLink,
  IconTrash,
  IconUpload,
} from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { Announce } from '../components/copy.tsx';
import { Empty } from '../components/empty.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { PageLoading } from '../components/page-loading.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { UndoNotice } from '../secrets/undo-notice.tsx';
import { filesOfDrop, filesOfInput } from './chosen-files.ts';
import { Crumbs } from './crumbs.tsx';
import { NameDialog, ShareDialog } from './dialogs.tsx';
import classes from './drive.module.css';
import { type Act, EntryList } from './entry-list.tsx';
import { count, folderOf, nameOf } from './format.ts';
import { LinksDialog } from './links-dialog.tsx';
import { OpenUploads } from './open-uploads.tsx';
import { OperationPanel } from './operation-panel.tsx';
import { useOperate } from './operations.ts';
import { PlaceDialog } from './place-dialog.tsx';
import { PreviewDialog } from './preview-dialog.tsx';
import { addressOf, lookAgain, makeFolder, useBucket, useEntries } from './queries.ts';
import { SnippetsDialog } from './snippets-dialog.tsx';
import { TrashDialog } from './trash-dialog.tsx';
import type { DriveBucket, DriveEntry } from './types.ts';
import { UploadPanel } from './upload-panel.tsx';
import { addUploads, type ChosenFile, onArrival } from './uploads.ts';
import { UsageBar } from './usage-bar.tsx';
import { useBucketChoices } from './use-bucket-choices.ts';

type Asked =
  | { readonly act: 'folder' | 'links' | 'trash' | 'snippets' }
  | { readonly act: 'open' | 'rename' | 'share'; readonly entry: DriveEntry }
  | { readonly act: 'copy' | 'move'; readonly keys: readonly string[] };

/** Files of a person and of workspaces. Which bucket and folder is in the address (`?bucket=…&folder=…`), so both can be linked to. */
export function DrivePage() {
  const [parameters, setParameters] = useSearchParams();
  const bucketName = parameters.get('bucket') ?? '_my';
  const folder = parameters.get('folder') ?? '';
  const bucket = useBucket(bucketName);
  const choices = useBucketChoices();
  const go = (to: { bucket: string; folder: string }): void =>
    setParameters({
      ...(to.bucket === '_my' ? {} : { bucket: to.bucket }),
      ...(to.folder === '' ? {} : { folder: to.folder }),
    });
  return (
    <>
      <PageHeader
        title="Drive"
        hint="Files for you, your apps, notebooks and engines, and for the workspaces that you are in."
        actions={bucket.data !== undefined && <UsageBar usage={bucket.data.usage} />}
      />
      <Stack gap="md">
        {choices.length > 1 && (
          <NativeSelect
            label="Bucket"
            maw={420}
            value={bucketName}
            data={choices.map(({ value, label }) => ({ value, label }))}
            onChange={(event) => go({ bucket: event.currentTarget.value, folder: '' })}
          />
        )}
        <ProblemNotice error={bucket.error} onRetry={() => void bucket.refetch()} />
        {bucket.isPending && <PageLoading />}
        {bucket.data !== undefined && !bucket.isError && (
          <Folder
            key={`${bucketName} ${folder}`}
            bucket={bucket.data}
            folder={folder}
            root={choices.find(({ value }) => value === bucketName)?.label ?? bucketName}
            onFolder={(to) => go({ bucket: bucketName, folder: to })}
          />
        )}
      </Stack>
    </>
  );
}

function Folder(props: {
  bucket: DriveBucket;
  folder: string;
  root: string;
  onFolder: (folder: string) => void;
}) {
  const { bucket, folder } = props;
  const client = useQueryClient();
  const query = useSearchParam();
  const found = useEntries(bucket.name, folder, query);
  const operate = useOperate();
  const targets = useBucketChoices().filter(({ canWrite }) => canWrite);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<Asked>();
  const [deleted, setDeleted] = useState<{ what: string; trashId: string }>();
  const [error, setError] = useState<unknown>();
  const [said, setSaid] = useState('');
  const entries = found.data?.pages.flatMap(({ items }) => items) ?? [];
  // In a large folder of some stores a search tells what it found page by page, and a page may be empty.
  const isLooking = query !== '' && found.hasNextPage && (found.isFetchingNextPage || entries.length === 0);
  const close = () => setAsked(undefined);
  useArrivals();

  const upload = (files: readonly ChosenFile[]): void => {
    if (files.length > 0) addUploads(bucket.name, folder, files);
  };
  const drop = useDrop(bucket.canWrite, upload, setError);

  const download = async (entry: DriveEntry): Promise<void> => {
    setError(undefined);
    try {
      const { url } = await addressOf(bucket.name, entry.key, 'ATTACHMENT');
      // Another host's answer that is to be saved: the page stays.
      location.assign(url);
    } catch (problem) {
      setError(problem);
    }
  };
  const remove = async (keys: readonly string[]): Promise<void> => {
    setError(undefined);
    setDeleted(undefined);
    const what = keys.length === 1 ? nameOf(keys[0] ?? '') : `${count(keys.length)} items`;
    try {
      const { trashId } = await operate({ kind: 'DELETE', bucket: bucket.name, keys });
      if (trashId === null) setSaid(`${what} deleted.`);
      else setDeleted({ what, trashId });
    } catch (problem) {
      setError(problem);
    }
    setSelected(new Set());
  };
  const act = (wanted: Act, entry: DriveEntry): void => {
    if (wanted === 'open' && entry.kind === 'FOLDER') props.onFolder(entry.key);
    else if (wanted === 'download') void download(entry);
    else if (wanted === 'delete') void remove([entry.key]);
    else if (wanted === 'copy' || wanted === 'move') setAsked({ act: wanted, keys: [entry.key] });
    else setAsked({ act: wanted, entry });
  };
  const chosen = [...selected];

  return (
    <>
      <Group justify="space-between" gap="sm">
        <Crumbs root={props.root} folder={folder} onFolder={props.onFolder} />
        <Group gap="xs">
          <Button
            variant="default"
            leftSection={<IconCode size={16} aria-hidden="true" />}
            onClick={() => setAsked({ act: 'snippets' })}
          >
            From programs
          </Button>
          <Button
            variant="default"
            leftSection={<IconLink size={16} aria-hidden="true" />}
            onClick={() => setAsked({ act: 'links' })}
          >
            My links
          </Button>
          <Button
            variant="default"
            leftSection={<IconTrash size={16} aria-hidden="true" />}
            onClick={() => setAsked({ act: 'trash' })}
          >
            Trash
          </Button>
          {bucket.canWrite && (
            <>
              <Button
                variant="default"
                leftSection={<IconFolderPlus size={16} aria-hidden="true" />}
                onClick={() => setAsked({ act: 'folder' })}
              >
                New folder
              </Button>
              <UploadButton onFiles={upload} />
            </>
          )}
        </Group>
      </Group>
      <SearchField label="Find in this folder" />
      {!bucket.canWrite && (
        <Text size="sm" c="dimmed">
          You may read here. Changing something takes an editor of the workspace.
        </Text>
      )}
      {deleted !== undefined && (
        <UndoNotice
          key={deleted.trashId}
          what={deleted.what}
          onUndo={() =>
            operate({
              kind: 'RESTORE',
              bucket: bucket.name,
              trash: [deleted.trashId],
              collision: 'KEEP_BOTH',
            })
          }
          onClose={() => setDeleted(undefined)}
        />
      )}
      <ProblemNotice error={error} />
      {bucket.canWrite && <OpenUploads bucket={bucket.name} />}
      <UploadPanel />
      <OperationPanel />
      {chosen.length > 0 && (
        <Group gap="xs">
          <Text size="sm" role="status">
            {count(chosen.length)} selected
          </Text>
          <Button size="xs" variant="default" onClick={() => setAsked({ act: 'copy', keys: chosen })}>
            Copy to
          </Button>
          {bucket.canWrite && (
            <>
              <Button size="xs" variant="default" onClick={() => setAsked({ act: 'move', keys: chosen })}>
                Move to
              </Button>
              <Button size="xs" variant="default" onClick={() => void remove(chosen)}>
                Delete
              </Button>
            </>
          )}
        </Group>
      )}
      <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />
      <div {...drop.handlers} className={`${classes.place} ${drop.isOver ? classes.dropping : ''}`}>
        {found.isPending ? (
          <PageLoading />
        ) : entries.length === 0 && !found.hasNextPage ? (
          !found.isError && <Nothing query={query} canWrite={bucket.canWrite} isRoot={folder === ''} />
        ) : (
          <EntryList
            entries={entries}
            hasMore={found.hasNextPage}
            isFetching={found.isFetchingNextPage || found.isError}
            onMore={() => void found.fetchNextPage()}
            selected={selected}
            onSelect={setSelected}
            canWrite={bucket.canWrite}
            onAct={act}
          />
        )}
      </div>
      <Text size="xs" c="dimmed">
        {(entries.length > 0 || found.hasNextPage) &&
          `${count(entries.length)} ${entries.length === 1 ? 'item' : 'items'}${isLooking ? ' so far, looking further …' : found.hasNextPage ? ' and more' : ''}`}
      </Text>
      <Announce text={said} />
      {asked?.act === 'folder' && (
        <NameDialog
          title="New folder"
          label="Name"
          action="Make the folder"
          name=""
          onName={async (name) => {
            await makeFolder(bucket.name, `${folder}${name}/`);
            lookAgain(client, bucket.name);
          }}
          onClose={close}
        />
      )}
      {asked?.act === 'rename' && (
        <NameDialog
          title={`Rename ${asked.entry.name}`}
          label="New name"
          action="Rename"
          name={asked.entry.name}
          onName={(name) => {
            const { key } = asked.entry;
            const as = `${folderOf(key)}${name}${key.endsWith('/') ? '/' : ''}`;
            return operate({
              ...{ kind: 'MOVE', bucket: bucket.name, keys: [key], collision: 'FAIL' },
              target: { bucket: bucket.name, as },
            });
          }}
          onClose={close}
        />
      )}
      {(asked?.act === 'copy' || asked?.act === 'move') && (
        <PlaceDialog
          title={`${asked.act === 'copy' ? 'Copy' : 'Move'} ${asked.keys.length === 1 ? nameOf(asked.keys[0] ?? '') : `${count(asked.keys.length)} items`}`}
          action={asked.act === 'copy' ? 'Copy here' : 'Move here'}
          from={{ bucket: bucket.name, folder }}
          buckets={targets}
          onChoose={async (place, collision) => {
            await operate({
              ...{
                kind: asked.act === 'copy' ? 'COPY' : 'MOVE',
                bucket: bucket.name,
                keys: asked.keys,
                collision,
              },
              target: { bucket: place.bucket, into: place.folder },
            });
            setSelected(new Set());
          }}
          onClose={close}
        />
      )}
      {asked?.act === 'share' && (
        <ShareDialog bucket={bucket.name} objectKey={asked.entry.key} onClose={close} />
      )}
      {asked?.act === 'open' && (
        <PreviewDialog
          bucket={bucket.name}
          entry={asked.entry}
          onDownload={() => void download(asked.entry)}
          onShare={() => setAsked({ act: 'share', entry: asked.entry })}
          onClose={close}
        />
      )}
      {asked?.act === 'links' && <LinksDialog bucket={bucket.name} onClose={close} />}
      {asked?.act === 'trash' && <TrashDialog bucket={bucket} onClose={close} />}
      {asked?.act === 'snippets' && <SnippetsDialog bucket={bucket.name} folder={folder} onClose={close} />}
    </>
  );
}

/** The list follows what arrives, a few times a second at most. */
function useArrivals(): void {
  const client = useQueryClient();
  useEffect(() => {
    const waiting = new Map<string, number>();
    onArrival((bucket) => {
      if (waiting.has(bucket)) return;
      const look = () => {
        waiting.delete(bucket);
        lookAgain(client, bucket);
      };
      waiting.set(bucket, window.setTimeout(look, 400));
    });
  }, [client]);
}

function useDrop(
  enabled: boolean,
  onFiles: (files: readonly ChosenFile[]) => void,
  onProblem: (problem: unknown) => void,
) {
  const [depth, setDepth] = useState(0);
  const hasFiles = (event: React.DragEvent) => enabled && event.dataTransfer.types.includes('Files');
  return {
    isOver: depth > 0,
    handlers: {
      onDragEnter: (event: React.DragEvent) => hasFiles(event) && setDepth((now) => now + 1),
      onDragLeave: (event: React.DragEvent) => hasFiles(event) && setDepth((now) => Math.max(0, now - 1)),
      onDragOver: (event: React.DragEvent) => hasFiles(event) && event.preventDefault(),
      onDrop: (event: React.DragEvent) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setDepth(0);
        filesOfDrop(event.dataTransfer).then(onFiles).catch(onProblem);
      },
    },
  };
}

function UploadButton({ onFiles }: { onFiles: (files: readonly ChosenFile[]) => void }) {
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

const Nothing = (props: { query: string; canWrite: boolean; isRoot: boolean }) => (
  <Empty title={props.query === '' ? 'Nothing is in here' : 'Nothing has this in its name'}>
    {props.query !== ''
      ? 'What is deeper in folders is not searched.'
      : props.canWrite
        ? `Drop files or folders here, or press Upload.${props.isRoot ? ' What your apps and notebooks keep in Drive is shown here, too.' : ''}`
        : 'What editors of the workspace put here is shown here.'}
  </Empty>
);

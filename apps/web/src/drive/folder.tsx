import { Group, Text } from '@mantine/core';
import { useState } from 'react';
import { Announce } from '../components/copy.tsx';
import { Empty } from '../components/empty.tsx';
import { PageLoading } from '../components/page-loading.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { UndoNotice } from '../secrets/undo-notice.tsx';
import { Crumbs } from './crumbs.tsx';
import classes from './drive.module.css';
import { type Act, EntryList } from './entry-list.tsx';
import { FolderActions, SelectionActions } from './folder-actions.tsx';
import { type Asked, FolderDialogs } from './folder-dialogs.tsx';
import { count, nameOf } from './format.ts';
import { OpenUploads } from './open-uploads.tsx';
import { OperationPanel } from './operation-panel.tsx';
import { useOperate } from './operations.ts';
import { addressOf, useEntries } from './queries.ts';
import type { DriveBucket, DriveEntry } from './types.ts';
import { UploadPanel } from './upload-panel.tsx';
import { addUploads, type ChosenFile } from './uploads.ts';
import { useArrivals } from './use-arrivals.ts';
import { useDrop } from './use-drop.ts';

/** One folder of a bucket: what is in it, and what can be done there. */
export function Folder(props: {
  bucket: DriveBucket;
  folder: string;
  root: string;
  onFolder: (folder: string) => void;
}) {
  const { bucket, folder } = props;
  const query = useSearchParam();
  const found = useEntries(bucket.name, folder, query);
  const operate = useOperate();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<Asked>();
  const [deleted, setDeleted] = useState<{ what: string; trashId: string }>();
  const [error, setError] = useState<unknown>();
  const [said, setSaid] = useState('');
  const entries = found.data?.pages.flatMap(({ items }) => items) ?? [];
  // A search that takes long tells what it found page by page, and a page may be empty.
  const isLooking = query !== '' && found.hasNextPage && (found.isFetchingNextPage || entries.length === 0);
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

  return (
    <>
      <Group justify="space-between" gap="sm">
        <Crumbs root={props.root} folder={folder} onFolder={props.onFolder} />
        <FolderActions canWrite={bucket.canWrite} onAsk={(act) => setAsked({ act })} onFiles={upload} />
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
      <SelectionActions
        keys={[...selected]}
        canWrite={bucket.canWrite}
        onTransfer={(act, keys) => setAsked({ act, keys })}
        onDelete={(keys) => void remove(keys)}
      />
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
      <FolderDialogs
        asked={asked}
        bucket={bucket}
        folder={folder}
        onAsk={setAsked}
        onDownload={download}
        onTransferred={() => setSelected(new Set())}
      />
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

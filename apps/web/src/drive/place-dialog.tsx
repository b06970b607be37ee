import { Loader, NativeSelect, Text, UnstyledButton } from '@mantine/core';
import { IconFolder } from '@tabler/icons-react';
import { useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Crumbs } from './crumbs.tsx';
import { AskDialog } from './dialogs.tsx';
import classes from './drive.module.css';
import { useFolders } from './queries.ts';
import type { Collision } from './types.ts';

export interface Place {
  readonly bucket: string;
  readonly folder: string;
}

/** Where to: a bucket that one may write to, and a folder of it. */
export function PlaceDialog(props: {
  title: string;
  action: string;
  from: Place;
  buckets: readonly { readonly value: string; readonly label: string }[];
  onChoose: (place: Place, collision: Collision) => Promise<unknown>;
  onClose: () => void;
}) {
  const [place, setPlace] = useState<Place>(
    props.buckets.some(({ value }) => value === props.from.bucket)
      ? props.from
      : { bucket: '_my', folder: '' },
  );
  const [collision, setCollision] = useState<Collision>('KEEP_BOTH');
  const folders = useFolders(place.bucket, place.folder);
  const label = props.buckets.find(({ value }) => value === place.bucket)?.label ?? place.bucket;
  return (
    <AskDialog
      title={props.title}
      action={props.action}
      onSubmit={() => props.onChoose(place, collision)}
      onClose={props.onClose}
    >
      {props.buckets.length > 1 && (
        <NativeSelect
          label="Bucket"
          value={place.bucket}
          data={[...props.buckets]}
          onChange={(event) => setPlace({ bucket: event.currentTarget.value, folder: '' })}
        />
      )}
      <Crumbs root={label} folder={place.folder} onFolder={(folder) => setPlace({ ...place, folder })} />
      <ProblemNotice error={folders.error} onRetry={() => void folders.refetch()} />
      {folders.isPending && <Loader size="sm" aria-label="Loading" />}
      {folders.data !== undefined && (
        <ul className={classes.uploads} aria-label="Folders here">
          {folders.data.map((folder) => (
            <li key={folder.key}>
              <UnstyledButton
                className={classes.name}
                onClick={() => setPlace({ ...place, folder: folder.key })}
              >
                <IconFolder size={18} stroke={1.6} aria-hidden="true" style={{ flex: 'none' }} />
                <span>{folder.name}</span>
              </UnstyledButton>
            </li>
          ))}
          {folders.data.length === 0 && (
            <li>
              <Text size="sm" c="dimmed">
                No folders in here.
              </Text>
            </li>
          )}
        </ul>
      )}
      <NativeSelect
        label="What has the same name there"
        value={collision}
        data={[
          { value: 'KEEP_BOTH', label: 'stays; the new one gets another name' },
          { value: 'REPLACE', label: 'is replaced' },
          { value: 'FAIL', label: 'stays, and the new one does not go there' },
        ]}
        onChange={(event) => setCollision(event.currentTarget.value as Collision)}
      />
    </AskDialog>
  );
}

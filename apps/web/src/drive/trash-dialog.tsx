import { Button, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { More } from '../components/more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { Age } from '../components/time.tsx';
import classes from './drive.module.css';
import { bytes, when } from './format.ts';
import { useOperate } from './operations.ts';
import { useTrash } from './queries.ts';
import type { DriveBucket, TrashEntry } from './types.ts';

/** What was deleted, its way back, and its end. */
export function TrashDialog(props: { bucket: DriveBucket; onClose: () => void }) {
  useReturnFocus();
  const { bucket } = props;
  const trash = useTrash(bucket.name);
  const operate = useOperate();
  const [busy, setBusy] = useState('');
  const [error, setError] = useState<unknown>();
  const [emptying, setEmptying] = useState(false);
  const entries = trash.data?.pages.flatMap(({ items }) => items) ?? [];
  const restore = async ({ id }: TrashEntry): Promise<void> => {
    setBusy(id);
    setError(undefined);
    await operate({ kind: 'RESTORE', bucket: bucket.name, trash: [id], collision: 'KEEP_BOTH' }).catch(
      setError,
    );
    setBusy('');
  };
  if (emptying)
    return (
      <ConfirmDialog
        title="Empty the trash"
        action="Empty the trash"
        onConfirm={() => operate({ kind: 'PURGE', bucket: bucket.name })}
        onClose={() => setEmptying(false)}
      >
        <Text size="sm">All {bytes(bucket.trash.bytes)} in it are gone for good then.</Text>
      </ConfirmDialog>
    );
  return (
    <Modal opened onClose={props.onClose} title="Trash" size="lg" centered>
      <Stack>
        <ProblemNotice error={error ?? trash.error} />
        {trash.isPending && <Loader size="sm" aria-label="Loading" />}
        {trash.data !== undefined && entries.length === 0 && <Text>Nothing was deleted here.</Text>}
        <ul className={classes.uploads} aria-label="Deleted">
          {entries.map((entry) => (
            <li key={entry.id}>
              <Group justify="space-between" gap="xs" wrap="nowrap">
                <div style={{ minWidth: 0 }}>
                  <Text size="sm" className="break">
                    {entry.name}
                    {entry.items > 1 && ` and ${entry.items - 1} more`}
                  </Text>
                  <Text size="xs" c="dimmed">
                    <Age iso={entry.deletedAt} /> by {entry.deletedBy} · gone for good on{' '}
                    {when(entry.emptiedAt)}
                  </Text>
                </div>
                {bucket.canWrite && (
                  <Button
                    size="xs"
                    variant="default"
                    loading={busy === entry.id}
                    disabled={busy !== '' && busy !== entry.id}
                    aria-label={`Restore ${entry.name}`}
                    onClick={() => void restore(entry)}
                  >
                    Restore
                  </Button>
                )}
              </Group>
            </li>
          ))}
        </ul>
        <More of={trash} />
        <Group justify="space-between">
          {bucket.canWrite && entries.length > 0 ? (
            <Button variant="default" onClick={() => setEmptying(true)}>
              Empty the trash
            </Button>
          ) : (
            <span />
          )}
          <Button variant="default" onClick={props.onClose}>
            Close
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

import { Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { More } from '../components/more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import classes from '../components/rows.module.css';
import { Age } from '../components/time.tsx';
import { RevealDialog } from './reveal-dialog.tsx';
import { lastOf, useRevealVersion, useStoredVersions } from './workspace-queries.ts';

/** What a secret held and holds, the newest first. Values are shown to who may read them, one version at a time. */
export function VersionsDialog(props: { secret: string; mayReveal: boolean; onClose: () => void }) {
  useReturnFocus();
  const versions = useStoredVersions(props.secret);
  const reveal = useRevealVersion();
  const [revealing, setRevealing] = useState<string>();
  const items = versions.data?.pages.flatMap((page) => page.secretVersions) ?? [];
  return (
    <>
      <Modal
        opened={revealing === undefined}
        onClose={props.onClose}
        title={`Versions of ${lastOf(props.secret)}`}
        centered
      >
        <Stack>
          {versions.isPending && <Skeleton h={60} aria-busy="true" aria-label="Loading versions" />}
          <ProblemNotice error={versions.error} onRetry={() => void versions.refetch()} />
          {versions.isSuccess && items.length === 0 && <Text size="sm">It has held nothing yet.</Text>}
          {items.length > 0 && (
            <table className={classes.table} aria-label="Versions">
              <tbody>
                {items.map(({ name, createTime }, index) => (
                  <tr key={name}>
                    <td className={classes.wide}>
                      {lastOf(name)}
                      {index === 0 && ' (what apps get)'}
                    </td>
                    <td>
                      <Age iso={createTime} />
                    </td>
                    <td className={classes.actions}>
                      {props.mayReveal && (
                        <Button size="xs" variant="default" onClick={() => setRevealing(name)}>
                          Show {lastOf(name)}
                        </Button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          <More of={versions} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Close
            </Button>
          </Group>
        </Stack>
      </Modal>
      {revealing !== undefined && (
        <RevealDialog
          title={`${lastOf(props.secret)}, ${lastOf(revealing)}`}
          onReveal={async () => ({ value: await reveal.mutateAsync(revealing) })}
          onClose={() => {
            reveal.reset();
            setRevealing(undefined);
          }}
        />
      )}
    </>
  );
}

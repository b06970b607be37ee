import { Button, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { More } from '../components/more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { Age } from '../components/time.tsx';
import classes from './drive.module.css';
import { when } from './format.ts';
import { endShare, useShares } from './queries.ts';
import type { SharedLink } from './types.ts';

/** Links that one made in this bucket and that are good. Their addresses were shown once; what is left to do is to take them back. */
export function LinksDialog(props: { bucket: string; onClose: () => void }) {
  useReturnFocus();
  const shares = useShares(props.bucket);
  const client = useQueryClient();
  const [busy, setBusy] = useState('');
  const [error, setError] = useState<unknown>();
  const links = shares.data?.pages.flatMap(({ items }) => items) ?? [];
  const end = async ({ id }: SharedLink): Promise<void> => {
    setBusy(id);
    setError(undefined);
    await endShare(props.bucket, id).catch(setError);
    await client.invalidateQueries({ queryKey: ['drive', 'shares', props.bucket] });
    setBusy('');
  };
  return (
    <Modal opened onClose={props.onClose} title="My links" size="lg" centered>
      <Stack>
        <ProblemNotice error={error ?? shares.error} />
        {shares.isPending && <Loader size="sm" aria-label="Loading" />}
        {shares.data !== undefined && links.length === 0 && (
          <Text>No link of yours to something in here is good.</Text>
        )}
        <ul className={classes.uploads} aria-label="Links">
          {links.map((link) => (
            <li key={link.id}>
              <Group justify="space-between" gap="xs" wrap="nowrap">
                <div style={{ minWidth: 0 }}>
                  <Text size="sm" className="break">
                    {link.key}
                  </Text>
                  <Text size="xs" c="dimmed">
                    made <Age iso={link.createdAt} /> · good until {when(link.expiresAt)}
                  </Text>
                </div>
                <Button
                  size="xs"
                  variant="default"
                  loading={busy === link.id}
                  disabled={busy !== '' && busy !== link.id}
                  aria-label={`Take back the link to ${link.key}`}
                  onClick={() => void end(link)}
                >
                  Take back
                </Button>
              </Group>
            </li>
          ))}
        </ul>
        <More of={shares} />
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Close
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

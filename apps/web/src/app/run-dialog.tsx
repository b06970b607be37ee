import { Button, Group, Modal, Stack } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useRunApp } from '../api/queries.ts';
import type { Visibility } from '../api/types.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { VisibilityChoice } from '../components/visibility-choice.tsx';
import { openWhenReady } from '../instance/opening.ts';

export function RunDialog({ app, onClose }: { app: { id: string; title: string }; onClose: () => void }) {
  useReturnFocus();
  const [visibility, setVisibility] = useState<Visibility>('PRIVATE');
  const run = useRunApp();
  const navigate = useNavigate();
  const start = (): void =>
    run.mutate(
      { appId: app.id, visibility },
      { onSuccess: (instance) => void navigate(`/instances/${instance.id}`, { state: openWhenReady }) },
    );
  return (
    <Modal opened onClose={onClose} title={`Run ${app.title}`} centered>
      <Stack>
        <VisibilityChoice
          of="instance"
          label="Who can open it"
          value={visibility}
          onChange={setVisibility}
          disabled={run.isPending}
        />
        <ProblemNotice error={run.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button onClick={start} loading={run.isPending} data-autofocus>
            Run
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

import { Button, Text } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useRef } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { detailOf } from '../api/problem.ts';
import { useInstanceAction } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { openWhenReady } from './opening.ts';

/** Wakes it up and leads to its page, which shows the start and opens the app by itself. */
function useResume(instance: Instance) {
  const resume = useInstanceAction('resume');
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const page = `/instances/${instance.id}`;
  return {
    ...resume,
    resume: async () => {
      await resume.mutateAsync(instance.id);
      await navigate(page, { replace: pathname === page, state: openWhenReady });
    },
  };
}

export function ResumeButton(props: { instance: Instance; size: 'xs' | 'md'; label?: string }) {
  const { instance, size } = props;
  const { resume, isPending, isSuccess, error } = useResume(instance);
  return (
    <>
      <Button
        size={size}
        // Until the event that it is on its way.
        loading={isPending || isSuccess}
        // Its old process is still ending.
        disabled={instance.reason === 'Pausing'}
        // What went wrong is shown below.
        onClick={() => void resume().catch(() => undefined)}
        {...(props.label === undefined ? {} : { 'aria-label': props.label })}
        {...(size === 'md' ? { leftSection: <IconPlayerPlay size={16} aria-hidden="true" /> } : {})}
      >
        Resume
      </Button>
      {error !== null && (
        <Text size="xs" c="var(--haic-bad)" role="alert">
          {detailOf(error)}
        </Text>
      )}
    </>
  );
}

/** For who comes from the page of a paused app: a link must change nothing by itself, so it asks. */
export function ResumeDialog(props: { instance: Instance; onClose: (resumed: boolean) => void }) {
  const { instance } = props;
  const resume = useInstanceAction('resume');
  const resumed = useRef(false);
  return (
    <ConfirmDialog
      title={`Resume ${instance.app.title}?`}
      action="Resume"
      harmless
      onClose={() => props.onClose(resumed.current)}
      onConfirm={async () => {
        await resume.mutateAsync(instance.id);
        resumed.current = true;
      }}
    >
      <Text>It is started again with the files in its data volume, and opens as soon as it is ready.</Text>
    </ConfirmDialog>
  );
}

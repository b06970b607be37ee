import { Button, Group, Modal, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useOutliving } from './kept-notices.ts';
import { ProblemNotice } from './problem-notice.tsx';
import { useReturnFocus } from './return-focus.ts';

/** Asks before what cannot be undone, or is `harmless` and still worth a word. Stays open with the reason when it is refused; closed before, the reason
 * stays on the page. */
export function ConfirmDialog(props: {
  title: string;
  children: ReactNode;
  action: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
  disabled?: boolean;
  harmless?: boolean;
}) {
  useReturnFocus();
  const outliving = useOutliving();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const confirm = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await outliving(`Not done: ${props.title}`, props.onConfirm());
      props.onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };

  return (
    <Modal opened onClose={props.onClose} title={props.title} centered>
      <Stack>
        <div>{props.children}</div>
        <ProblemNotice error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose} data-autofocus>
            Cancel
          </Button>
          <Button
            {...(props.harmless === true ? {} : { color: 'red.8' })}
            onClick={() => void confirm()}
            loading={busy}
            disabled={props.disabled ?? false}
          >
            {props.action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

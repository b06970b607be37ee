import { Text } from '@mantine/core';
import { useTerminate } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';

export function TerminateDialog(props: { instance: Instance; onClose: () => void; onDone?: () => void }) {
  const { instance } = props;
  const terminate = useTerminate();
  return (
    <ConfirmDialog
      title={`Terminate this instance of ${instance.app.title}?`}
      action="Terminate"
      onClose={props.onClose}
      onConfirm={async () => {
        await terminate.mutateAsync(instance.id);
        props.onDone?.();
      }}
    >
      <Text>
        It is stopped and removed for good, with its files and its log. Whoever uses it right now is cut off.
        The app itself stays in the store.
      </Text>
    </ConfirmDialog>
  );
}

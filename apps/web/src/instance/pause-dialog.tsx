import { Text } from '@mantine/core';
import { useInstanceAction, useSetSuspendAfter } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';

export function PauseDialog({ instance, onClose }: { instance: Instance; onClose: () => void }) {
  const pause = useInstanceAction('suspend');
  return (
    <ConfirmDialog
      title={`Pause this instance of ${instance.app.title}?`}
      action="Pause"
      harmless
      onClose={onClose}
      onConfirm={() => pause.mutateAsync(instance.id)}
    >
      <Text>
        Nothing of it runs then, and whoever uses it right now is cut off. Files in its data volume are kept;
        what the app holds in memory is not. You can resume it whenever you like.
      </Text>
    </ConfirmDialog>
  );
}

const usualSeconds = 8 * 3600;

/** For administrators: whether an instance pauses by itself at all. */
export function AutoPauseDialog({ instance, onClose }: { instance: Instance; onClose: () => void }) {
  const set = useSetSuspendAfter(instance.id);
  const isOff = instance.suspendAfter === 'never';
  return (
    <ConfirmDialog
      title={isOff ? 'Pause by itself after 8 hours?' : 'Never pause by itself?'}
      action={isOff ? 'Pause by itself' : 'Never pause by itself'}
      harmless
      onClose={onClose}
      onConfirm={() => set.mutateAsync(isOff ? usualSeconds : 'never')}
    >
      <Text>
        {isOff
          ? 'From now on it pauses 8 hours after it was started, resumed or extended.'
          : 'It then runs, and takes its memory, until somebody pauses or terminates it.'}
      </Text>
    </ConfirmDialog>
  );
}

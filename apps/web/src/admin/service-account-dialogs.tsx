import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { CopyButton } from '../components/copy.tsx';
import {
  type ServiceAccount,
  useRemoveServiceAccount,
  useRotateSecret,
  useSetAccountDisabled,
  type WithSecret,
} from './service-accounts.ts';

const codeStyle = { whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' } as const;

/** The only time that this secret is seen, so nothing but the button closes it. */
export function SecretShown({ made, onClose }: { made: WithSecret; onClose: () => void }) {
  const lines = `HAIC_CLIENT_ID=${made.account.clientId}\nHAIC_CLIENT_SECRET=${made.secret}`;
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Secret of ${made.account.name}`}
      centered
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <Stack>
        <Text>
          It is shown only now. Put both into the secrets of your pipeline: the command line reads them from
          its environment.
        </Text>
        <pre className="code" data-testid="secret" style={codeStyle}>
          {lines}
        </pre>
        <Group justify="flex-end">
          <CopyButton text={lines} label="Copy" />
          <Button onClick={onClose} data-autofocus>
            Done
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

type Props = { account: ServiceAccount; onClose: () => void };

export function RotateDialog({ account, onClose, onMade }: Props & { onMade: (made: WithSecret) => void }) {
  const rotate = useRotateSecret(account.name);
  const [hours, setHours] = useState('24');
  return (
    <ConfirmDialog
      title={`New secret for ${account.name}?`}
      action="Make a new secret"
      harmless
      onClose={onClose}
      onConfirm={async () => onMade(await rotate.mutateAsync(Number(hours)))}
    >
      <Radio.Group label="The secret it has now" value={hours} onChange={setHours}>
        <Stack gap="xs" mt="xs">
          <Radio
            value="24"
            label="Stays good for a day"
            description="Time to put the new one in its place."
          />
          <Radio value="168" label="Stays good for a week" />
          <Radio value="0" label="Ends at once" description="When it has leaked." />
        </Stack>
      </Radio.Group>
    </ConfirmDialog>
  );
}

export function DisableAccountDialog({ account, onClose }: Props) {
  const change = useSetAccountDisabled(account.name);
  return (
    <ConfirmDialog
      title={`Disable ${account.name}?`}
      action="Disable"
      onClose={onClose}
      onConfirm={() => change.mutateAsync(true)}
    >
      <Text>
        Its tokens are refused at once, and the instances that it runs stop. You can enable it again.
      </Text>
    </ConfirmDialog>
  );
}

export function RemoveAccountDialog({ account, onClose }: Props) {
  const remove = useRemoveServiceAccount(account.name);
  return (
    <ConfirmDialog
      title={`Remove ${account.name}?`}
      action="Remove"
      onClose={onClose}
      onConfirm={() => remove.mutateAsync()}
    >
      <Text>
        Its tokens are refused at once, and the instances that it runs stop. Apps that it imported stay, and
        an administrator can hand them over. This cannot be undone.
      </Text>
    </ConfirmDialog>
  );
}

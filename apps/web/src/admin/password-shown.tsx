import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { CopyButton } from '../components/copy.tsx';

/** The only time that this password is seen, so nothing but the button closes it. */
export function PasswordShown(props: { username: string; password: string; onClose: () => void }) {
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={`Password of ${props.username}`}
      centered
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <Stack>
        <Text>
          It is shown only now. Hand it over in a safe way, and ask {props.username} to change it after
          signing in.
        </Text>
        <pre
          className="code"
          data-testid="password"
          style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
        >
          {props.password}
        </pre>
        <Group justify="flex-end">
          <CopyButton text={props.password} label="Copy" />
          <Button onClick={props.onClose} data-autofocus>
            Done
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

import { Group, Text } from '@mantine/core';
import type { Instance, InstanceStatus } from '../api/types.ts';

const labels: Readonly<Record<InstanceStatus, string>> = {
  PENDING: 'Waiting',
  STARTING: 'Starting',
  DEPLOYED: 'Running',
  FAILED: 'Failed',
  SUSPENDED: 'Paused',
  TERMINATING: 'Ending',
};

const tones: Readonly<Record<InstanceStatus, 'ok' | 'busy' | 'bad' | 'idle'>> = {
  PENDING: 'busy',
  STARTING: 'busy',
  DEPLOYED: 'ok',
  FAILED: 'bad',
  SUSPENDED: 'idle',
  TERMINATING: 'idle',
};

export const statusLabel = (status: InstanceStatus): string => labels[status];

/** Why, in plain words. A status never stands alone. */
export function reasonText(instance: Pick<Instance, 'status' | 'reason' | 'message'>): string {
  if (instance.message !== '') return instance.message;
  if (instance.status === 'DEPLOYED') return 'Ready for people.';
  // A CamelCase word is better than nothing: `ProbeFailing` → "Probe failing".
  const words = instance.reason.replace(
    /([a-z])([A-Z])/g,
    (_all, a: string, b: string) => `${a} ${b.toLowerCase()}`,
  );
  return words === '' ? '' : `${words}.`;
}

export const StatusDot = ({ status }: { status: InstanceStatus }) => (
  <span className="dot" data-tone={tones[status]} aria-hidden="true" />
);

export const StatusLabel = ({ status }: { status: InstanceStatus }) => (
  <Group gap={8} wrap="nowrap" component="span" style={{ display: 'inline-flex' }}>
    <StatusDot status={status} />
    <Text component="span" fw={600} inherit>
      {statusLabel(status)}
    </Text>
  </Group>
);

import { Button, Group, Text } from '@mantine/core';
import { detailOf } from '../api/problem.ts';
import { useInstanceAction } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';
import { useNow } from '../components/time.tsx';
import { timeLeft } from './time-left.ts';

const soonSeconds = 15 * 60;

const secondsLeft = (suspendAt: string, now: number): number => (Date.parse(suspendAt) - now) / 1000;

/** When the instance pauses by itself, and the way to put that off. */
export function Countdown({ instance }: { instance: Instance }) {
  const now = useNow(10_000);
  const extend = useInstanceAction('extend');
  if (instance.status === 'SUSPENDED' || instance.status === 'TERMINATING') return null;
  if (instance.suspendAt === null) {
    return (
      <Text size="sm" c="dimmed" mt={4}>
        It does not pause by itself.
      </Text>
    );
  }
  const left = secondsLeft(instance.suspendAt, now);
  return (
    <Group gap="sm" mt={4}>
      <Text size="sm" {...(left <= soonSeconds ? { fw: 600 } : { c: 'dimmed' })}>
        Pauses by itself{' '}
        <time dateTime={instance.suspendAt} title={new Date(instance.suspendAt).toLocaleString()}>
          {timeLeft(left)}
        </time>
      </Text>
      {instance.canManage && (
        <Button
          size="compact-xs"
          variant="default"
          loading={extend.isPending}
          onClick={() => extend.mutate(instance.id)}
        >
          Extend
        </Button>
      )}
      {extend.isError && (
        <Text size="xs" c="var(--haic-bad)" role="alert">
          {detailOf(extend.error)}
        </Text>
      )}
    </Group>
  );
}

/** In lists only what is near. */
export function PausesSoon({ instance }: { instance: Instance }) {
  const now = useNow(30_000);
  if (instance.suspendAt === null || instance.status !== 'DEPLOYED') return null;
  const left = secondsLeft(instance.suspendAt, now);
  if (left > 3600) return null;
  return (
    <Text size="xs" c="dimmed">
      Pauses by itself {timeLeft(left)}
    </Text>
  );
}

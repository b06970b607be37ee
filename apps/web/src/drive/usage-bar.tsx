import { Progress, Text } from '@mantine/core';
import { bytes, count } from './format.ts';
import type { DriveUsage } from './types.ts';

export function UsageBar({ usage }: { usage: DriveUsage }) {
  const { quota } = usage;
  const share = quota === null || quota === 0 ? 0 : (usage.bytes / quota) * 100;
  const text = `${bytes(usage.bytes)}${quota === null ? '' : ` of ${bytes(quota)}`} in ${count(usage.objects)} ${usage.objects === 1 ? 'object' : 'objects'}`;
  return (
    <div style={{ minWidth: 200 }}>
      <Text size="sm" {...(share >= 90 ? { fw: 600 } : { c: 'dimmed' })}>
        {text}
        {share >= 90 ? '. Nearly full: delete something, or ask an administrator for more.' : ''}
      </Text>
      {quota !== null && <Progress value={Math.min(100, share)} size="sm" mt={4} aria-label={text} />}
    </div>
  );
}

import { Button, Group, Progress, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { count } from './format.ts';
import { cancelOperation, useRunningOperations } from './operations.ts';
import type { DriveOperation } from './types.ts';

const doing: Readonly<Record<DriveOperation['kind'], string>> = {
  COPY: 'Copying',
  MOVE: 'Moving',
  DELETE: 'Deleting',
  RESTORE: 'Restoring',
  PURGE: 'Emptying the trash',
};

/** What takes longer than a moment: how far it is, and its end. */
export function OperationPanel() {
  const client = useQueryClient();
  const running = useRunningOperations().data ?? [];
  if (running.length === 0) return null;
  return (
    <section className="panel" aria-label="What is being done" style={{ padding: 16 }}>
      {running.map((operation) => {
        const { done, failed, total } = operation;
        const text = `${doing[operation.kind]}: ${count(done + failed)}${total === null ? '' : ` of ${count(total)}`}`;
        return (
          <div key={operation.id}>
            <Group justify="space-between" gap="xs">
              <Text size="sm" role="status">
                {text}
              </Text>
              <Button size="xs" variant="default" onClick={() => void cancelOperation(client, operation)}>
                Cancel
              </Button>
            </Group>
            <Progress
              value={total === null || total === 0 ? 0 : ((done + failed) / total) * 100}
              animated
              mt={6}
              size="sm"
              aria-label={text}
            />
          </div>
        );
      })}
    </section>
  );
}

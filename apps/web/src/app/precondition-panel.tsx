import { Alert, Button, Group, List, Text } from '@mantine/core';
import { useCheckApp } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Age } from '../components/time.tsx';

/** What the app needs and this installation does not have, in words; whoever manages the app can have it looked at again. */
export function PreconditionPanel({ app }: { app: App }) {
  const check = useCheckApp(app.id);
  const { status, problems, checkedAt } = app.precondition;
  if (problems.length === 0) return null;
  const title =
    status === 'FAILED'
      ? app.lifecycle === 'LINK'
        ? 'This link cannot be opened just now'
        : 'This app cannot run here just now'
      : 'This app runs, but not for ever';
  return (
    // Describes the disabled button, which therefore says nothing of its own.
    <Alert
      id={status === 'FAILED' && !app.canRun ? 'cannot-run' : undefined}
      variant="outline"
      className={status === 'FAILED' ? 'notice problem' : 'notice'}
      title={title}
    >
      <List size="sm" spacing="xs">
        {problems.map(({ code, message }) => (
          <List.Item key={code + message} className="break">
            {message}
          </List.Item>
        ))}
      </List>
      <ProblemNotice error={check.error} />
      <Group justify="space-between" mt="xs">
        <Text size="xs" c="dimmed">
          Looked at <Age iso={checkedAt} />
        </Text>
        {app.canManage && (
          <Button size="xs" variant="default" onClick={() => check.mutate()} loading={check.isPending}>
            Check again
          </Button>
        )}
      </Group>
    </Alert>
  );
}

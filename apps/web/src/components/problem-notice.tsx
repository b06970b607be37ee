import { Alert, Button, Group, Text } from '@mantine/core';
import { ApiError, detailOf, titleOf } from '../api/problem.ts';

/** The one way a failed call is shown: what happened, what to do, and the id under which the log has it. */
export function ProblemNotice(props: { error: unknown; onRetry?: () => void; title?: string }) {
  if (props.error === null || props.error === undefined) return null;
  const requestId = props.error instanceof ApiError ? props.error.requestId : undefined;
  return (
    <Alert
      variant="outline"
      className="notice problem"
      role="alert"
      title={props.title ?? titleOf(props.error)}
    >
      <Text size="sm" className="break">
        {detailOf(props.error)}
      </Text>
      {(requestId !== undefined || props.onRetry !== undefined) && (
        <Group justify="space-between" mt="xs">
          <Text size="xs" c="dimmed" className="break">
            {requestId === undefined ? '' : `Request ${requestId}`}
          </Text>
          {props.onRetry !== undefined && (
            <Button size="xs" variant="default" onClick={props.onRetry}>
              Try again
            </Button>
          )}
        </Group>
      )}
    </Alert>
  );
}

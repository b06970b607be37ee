import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useLayoutEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { callText, queryString } from '../api/http.ts';
import { useRunApp, useTerminate } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Age } from '../components/time.tsx';
import { likelyCause } from './likely-cause.ts';
import { plainLine } from './log-lines.ts';
import { openWhenReady } from './opening.ts';

const lastLines = 20;

async function readLastLines(id: string, signal: AbortSignal): Promise<readonly string[]> {
  const read = async (previous: boolean): Promise<readonly string[]> => {
    const path = `/api/v1/instances/${encodeURIComponent(id)}/logs${queryString({ tail: lastLines, previous })}`;
    const lines = (await callText(path, { signal })).split('\n').map(plainLine);
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-lastLines);
  };
  // Between two starts the current log may still be empty: then the one before it tells why.
  const current = await read(false);
  return current.length > 0 ? current : read(true);
}

export function FailurePanel({ instance }: { instance: Instance }) {
  const lines = useQuery({
    queryKey: ['last-lines', instance.id, instance.restartCount, instance.status],
    queryFn: ({ signal }) => readLastLines(instance.id, signal),
    enabled: instance.canReadLogs,
    retry: 1,
    // Each start reads them anew; what is there stays readable meanwhile.
    placeholderData: keepPreviousData,
  });
  const box = useRef<HTMLDivElement>(null);
  // The end of a log says most.
  useLayoutEffect(() => {
    if (lines.data !== undefined && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [lines.data]);
  const last = instance.lastFailure;
  const again = instance.status === 'STARTING' || instance.status === 'PENDING';
  return (
    <Stack
      component="section"
      className="panel"
      p={{ base: 'md', sm: 'lg' }}
      gap="sm"
      aria-label="What went wrong"
      style={{ borderColor: 'var(--haic-bad)' }}
    >
      <div>
        <Title order={2} size="h4">
          {again ? `The last start failed; start ${instance.restartCount + 1} is under way` : 'It failed'}
        </Title>
        {last !== undefined && (
          <Text size="sm" c="dimmed">
            {last.exitCode === undefined || last.exitCode === null
              ? last.reason
              : `Exit code ${last.exitCode}`}
            , <Age iso={last.finishedAt} />
            {instance.restartCount > 0 &&
              `; started anew ${instance.restartCount} ${instance.restartCount === 1 ? 'time' : 'times'}`}
          </Text>
        )}
      </div>
      <div>
        <Text fw={600} size="sm">
          Likely cause
        </Text>
        <Text className="break">{likelyCause(instance, lines.data ?? [])}</Text>
      </div>
      {instance.canReadLogs && (
        <div>
          <Text fw={600} size="sm" mb={4}>
            Last lines of the log
          </Text>
          {lines.isError && <ProblemNotice error={lines.error} onRetry={() => void lines.refetch()} />}
          <div
            ref={box}
            className="log"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
            tabIndex={0}
            style={{ height: 'auto', minHeight: 80, maxHeight: 440 }}
          >
            {lines.isSuccess && lines.data.length === 0 && 'The log is empty.'}
            {lines.data?.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity, and never move
              <div key={index} className="log-line">
                {line}
              </div>
            ))}
          </div>
        </div>
      )}
      {instance.canManage && <TryAgain instance={instance} />}
    </Stack>
  );
}

/** Ends this instance and runs the same app anew, with the same visibility. */
function TryAgain({ instance }: { instance: Instance }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const terminate = useTerminate();
  const run = useRunApp();
  const navigate = useNavigate();

  const tryAgain = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await terminate.mutateAsync(instance.id);
      const next = await run.mutateAsync({ appId: instance.app.id, visibility: instance.visibility });
      await navigate(`/instances/${next.id}`, { replace: true, state: openWhenReady });
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <ProblemNotice error={error} />
      <Group gap="sm">
        <Button
          onClick={() => void tryAgain()}
          loading={busy}
          leftSection={<IconRefresh size={16} aria-hidden="true" />}
        >
          Try again
        </Button>
        <Text size="sm" c="dimmed" style={{ flex: '1 1 200px' }}>
          Ends this instance and runs the app anew.
        </Text>
      </Group>
    </>
  );
}

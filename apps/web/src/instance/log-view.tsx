import {
  ActionIcon,
  Button,
  Group,
  SegmentedControl,
  Stack,
  Switch,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconDownload, IconSearch } from '@tabler/icons-react';
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { queryString } from '../api/http.ts';
import type { Instance } from '../api/types.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { type LogChunk, matchingLines } from './log-lines.ts';
import { type LogState, useLog } from './use-log.ts';

const stateText: Readonly<Record<LogState, string>> = {
  loading: 'Loading',
  following: 'Live',
  waiting: 'Connecting again',
  ended: 'Complete',
};

export function LogView({ instance, gone }: { instance: Instance; gone: boolean }) {
  const [which, setWhich] = useState<'current' | 'previous'>('current');
  const [follow, setFollow] = useState(true);
  const [search, setSearch] = useState('');
  const [match, setMatch] = useState(0);
  const previous = which === 'previous';
  const alive =
    !gone &&
    (instance.status === 'PENDING' || instance.status === 'STARTING' || instance.status === 'DEPLOYED');
  const log = useLog(instance.id, { previous, process: instance.restartCount, alive });
  const matches = useMemo(() => matchingLines(log.chunks, search), [log.chunks, search]);
  const current = matches[match % Math.max(matches.length, 1)];
  const box = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    if (follow && box.current !== null && log.chunks.length > 0)
      box.current.scrollTop = box.current.scrollHeight;
  }, [follow, log.chunks]);

  useEffect(() => {
    if (current === undefined) return;
    setFollow(false);
    box.current?.querySelector(`[data-line="${current}"]`)?.scrollIntoView({ block: 'center' });
  }, [current]);

  /** Scrolling up means reading: what comes in must not pull the reader away. Back at the end, it follows again. */
  const onScroll = (): void => {
    const element = box.current;
    if (element === null) return;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 24;
    if (!atEnd && follow) setFollow(false);
    else if (atEnd && !follow && search === '') setFollow(true);
  };

  const empty = log.chunks.length === 0;
  return (
    <Stack
      component="section"
      id="log"
      className="panel"
      p={{ base: 'md', sm: 'lg' }}
      gap="sm"
      aria-label="Log"
    >
      <Group justify="space-between" gap="xs">
        <Group gap="sm">
          <Title order={2} size="h4">
            Log
          </Title>
          <Text size="sm" c="dimmed" role="status">
            {(previous || !alive) && log.state !== 'loading' ? 'Complete' : stateText[log.state]}
          </Text>
        </Group>
        <SegmentedControl
          size="xs"
          aria-label="Which log"
          value={which}
          onChange={(value) => {
            setWhich(value === 'previous' ? 'previous' : 'current');
            setFollow(true);
          }}
          data={[
            { value: 'current', label: 'Current' },
            { value: 'previous', label: 'Previous', disabled: instance.restartCount === 0 },
          ]}
        />
      </Group>
      <Group gap="xs">
        <TextInput
          type="search"
          size="xs"
          aria-label="Search in the log"
          placeholder="Search in the log"
          value={search}
          leftSection={<IconSearch size={14} aria-hidden="true" />}
          onChange={(event) => {
            setSearch(event.currentTarget.value);
            setMatch(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && matches.length > 0) {
              setMatch((match + (event.shiftKey ? matches.length - 1 : 1)) % matches.length);
            }
          }}
          style={{ flex: '1 1 160px', maxWidth: 300 }}
        />
        {search !== '' && (
          <Group gap={4} wrap="nowrap">
            <Text size="xs" className="numbers" role="status">
              {matches.length === 0
                ? 'Nothing found'
                : `${(match % matches.length) + 1} of ${matches.length}`}
            </Text>
            <ActionIcon
              variant="default"
              disabled={matches.length === 0}
              onClick={() => setMatch((match + matches.length - 1) % matches.length)}
              aria-label="Previous match"
            >
              <IconArrowUp size={14} />
            </ActionIcon>
            <ActionIcon
              variant="default"
              disabled={matches.length === 0}
              onClick={() => setMatch((match + 1) % matches.length)}
              aria-label="Next match"
            >
              <IconArrowDown size={14} />
            </ActionIcon>
          </Group>
        )}
        <Switch
          size="sm"
          label="Scroll along"
          checked={follow}
          onChange={(event) => setFollow(event.currentTarget.checked)}
        />
        <Button
          component="a"
          size="xs"
          variant="default"
          href={`/api/v1/instances/${encodeURIComponent(instance.id)}/logs${queryString({ previous: previous || undefined })}`}
          download={`${instance.app.name}-${instance.app.version}${previous ? '-previous' : ''}.log`}
          leftSection={<IconDownload size={14} aria-hidden="true" />}
          ml="auto"
        >
          Download
        </Button>
      </Group>
      {log.error !== undefined && !gone && <ProblemNotice error={log.error} />}
      <div
        ref={box}
        className="log"
        onScroll={onScroll}
        role="log"
        aria-live="off"
        aria-label="Lines of the log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
      >
        {empty && <span>{log.state === 'ended' ? 'The log is empty.' : 'Waiting for the first line.'}</span>}
        {log.chunks.map((chunk) => (
          <Chunk
            key={chunk.key}
            chunk={chunk}
            search={search}
            current={current !== undefined && inChunk(chunk, current) ? current : undefined}
          />
        ))}
      </div>
    </Stack>
  );
}

const inChunk = (chunk: LogChunk, line: number): boolean =>
  line >= chunk.key && line <= (chunk.lines.at(-1)?.number ?? 0);

const Chunk = memo(function Chunk(props: { chunk: LogChunk; search: string; current: number | undefined }) {
  return (
    <div className="log-chunk">
      {props.chunk.lines.map((line) => (
        <div
          key={line.number}
          className="log-line"
          data-line={line.number}
          data-current={line.number === props.current}
        >
          {props.search === '' ? line.text : <Marked text={line.text} search={props.search} />}
        </div>
      ))}
    </div>
  );
});

function Marked({ text, search }: { text: string; search: string }) {
  const at = text.toLowerCase().indexOf(search.toLowerCase());
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + search.length)}</mark>
      {text.slice(at + search.length)}
    </>
  );
}

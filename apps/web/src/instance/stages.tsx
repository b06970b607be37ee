import { Loader, Text } from '@mantine/core';
import { IconCheck, IconCircle, IconX } from '@tabler/icons-react';
import type { Stage, StageName } from '../api/types.ts';
import { duration, useNow } from '../components/time.tsx';

const labels: Readonly<Record<StageName, string>> = {
  queued: 'Queued',
  fetching: 'Fetching the bundle',
  installing: 'Installing what it needs',
  starting: 'Starting the app',
  ready: 'Ready',
};

export const stageLabel = (name: StageName): string => labels[name];

const said = { waiting: 'not yet', running: 'under way', done: 'done', failed: 'failed' };

/** The steps of a start: which one it is at, how long each has taken, and how long it usually takes. */
export function Stages({ stages }: { stages: readonly Stage[] }) {
  const ticking = stages.some((stage) => stage.state === 'running');
  const now = useNow(100, ticking);
  return (
    <ol className="stages" aria-label="Stages of the start">
      {stages.map((stage) => (
        <li key={stage.name} data-stage={stage.name} data-state={stage.state}>
          <StageIcon state={stage.state} />
          <Text
            fw={stage.state === 'running' ? 650 : 400}
            {...(stage.state === 'waiting' ? { c: 'dimmed' } : {})}
          >
            {labels[stage.name]}
            <span className="visually-hidden">, {said[stage.state]}</span>
          </Text>
          <Text size="sm" c="dimmed" className="numbers" ta="right">
            {elapsed(stage, now)}
            {stage.usualSeconds !== undefined && (stage.state === 'waiting' || stage.state === 'running') && (
              <span>
                {stage.state === 'running' ? ' of ' : ''}usually {duration(stage.usualSeconds)}
              </span>
            )}
          </Text>
        </li>
      ))}
    </ol>
  );
}

function elapsed(stage: Stage, now: number): string {
  if (stage.startedAt === undefined || stage.name === 'ready') return '';
  const end = stage.finishedAt === undefined ? now : Date.parse(stage.finishedAt);
  if (stage.finishedAt === undefined && stage.state !== 'running') return '';
  return duration((end - Date.parse(stage.startedAt)) / 1000);
}

function StageIcon({ state }: { state: Stage['state'] }) {
  if (state === 'running') return <Loader size={18} color="var(--haic-busy)" aria-hidden="true" />;
  if (state === 'done') return <IconCheck size={20} color="var(--haic-ok)" aria-hidden="true" />;
  if (state === 'failed') return <IconX size={20} color="var(--haic-bad)" aria-hidden="true" />;
  return <IconCircle size={18} stroke={1.4} color="var(--haic-idle)" aria-hidden="true" />;
}

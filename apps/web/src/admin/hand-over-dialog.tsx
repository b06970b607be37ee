import '@mantine/core/styles/CheckboxIndicator.css';
import '@mantine/core/styles/Checkbox.css';
import { Button, Checkbox, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { ApiError } from '../api/problem.ts';
import { useOutliving } from '../components/kept-notices.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { statusLabel } from '../components/status.tsx';
import { visibilityName } from '../components/visibility.tsx';
import { type Belongings, type Outcomes, useBelongings, useHandOver } from './belongings.ts';
import { PersonPicker } from './person-picker.tsx';

interface Thing {
  readonly id: string;
  readonly kind: 'apps' | 'instances';
  readonly label: string;
  readonly hint: string;
}

const thingsOf = ({ apps, instances }: Belongings): readonly Thing[] => [
  ...apps.map(({ id, title, version, visibility }) => ({
    ...{ id, kind: 'apps' as const, label: `${title} ${version}` },
    hint: `App · ${visibilityName(visibility)}`,
  })),
  ...instances.map(({ id, app, status }) => ({
    ...{ id, kind: 'instances' as const, label: `Instance of ${app.title} ${app.version}` },
    hint: `${statusLabel(status)}, with its files`,
  })),
];

/** Gives what somebody owns to another person: all of it, or what stays ticked. */
export function HandOverDialog(props: {
  username: string;
  title: string;
  /** An instance is handed over only when its owner cannot sign in. */
  ownerIsActive?: boolean;
  onClose: () => void;
}) {
  useReturnFocus();
  const belongings = useBelongings(props.username);
  return (
    <Modal opened onClose={props.onClose} title={props.title} centered>
      <Stack>
        {belongings.isPending && <Skeleton h={160} aria-busy="true" aria-label="Loading what they own" />}
        <ProblemNotice error={belongings.error} onRetry={() => void belongings.refetch()} />
        {belongings.data !== undefined && <HandOverForm {...props} belongings={belongings.data} />}
      </Stack>
    </Modal>
  );
}

function HandOverForm(props: {
  username: string;
  ownerIsActive?: boolean;
  belongings: Belongings;
  onClose: () => void;
}) {
  const things = thingsOf(props.belongings);
  const isStuck = (thing: Thing): boolean => props.ownerIsActive === true && thing.kind === 'instances';
  const handOver = useHandOver(props.username);
  const outliving = useOutliving();
  const [to, setTo] = useState<string>();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const chosen = things.filter((thing) => !left.has(thing.id) && !isStuck(thing));
  const idsOf = (kind: Thing['kind']) => chosen.filter((thing) => thing.kind === kind).map(({ id }) => id);

  const give = async (): Promise<void> => {
    if (to === undefined) return;
    const picked = { to, apps: idsOf('apps'), instances: idsOf('instances') };
    await outliving(
      `Not all that ${props.username} owns was handed over`,
      handOver.mutateAsync(picked).then((outcomes) => {
        const problems = problemsOf(outcomes, things);
        if (problems.length > 0) throw new ApiError(409, 'not_all_handed_over', inShort(problems));
      }),
    );
    props.onClose();
  };

  if (things.length === 0)
    return (
      <>
        <Text>{props.username} owns no apps and no instances.</Text>
        <Group justify="flex-end">
          <Button onClick={props.onClose} data-autofocus>
            Done
          </Button>
        </Group>
      </>
    );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        // What went wrong is shown below.
        void give().catch(() => undefined);
      }}
    >
      <Stack>
        <Text size="sm">
          Whoever gets it decides over it from now on, and sees what it holds. Instances stay paused until
          their new owner resumes them.
        </Text>
        <PersonPicker
          label="New owner"
          value={to}
          onChange={setTo}
          isOffered={({ username }) => username !== props.username}
          disabled={handOver.isPending}
        />
        <Checkbox.Group
          label="What to hand over"
          value={chosen.map(({ id }) => id)}
          onChange={(ids) => setLeft(new Set(things.map(({ id }) => id).filter((id) => !ids.includes(id))))}
        >
          <Stack gap="xs" mt="xs">
            {things.map((thing) => (
              <Checkbox
                key={thing.id}
                value={thing.id}
                iconColor="#141414"
                label={thing.label}
                description={
                  isStuck(thing) ? 'Only when its owner is disabled: until then it is theirs.' : thing.hint
                }
                disabled={isStuck(thing) || handOver.isPending}
              />
            ))}
          </Stack>
        </Checkbox.Group>
        <ProblemNotice error={handOver.error} />
        {handOver.data !== undefined && <Problems lines={problemsOf(handOver.data, things)} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Not now
          </Button>
          <Button
            type="submit"
            loading={handOver.isPending}
            disabled={to === undefined || chosen.length === 0}
          >
            Hand over
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** A line for each that its owner keeps. */
const problemsOf = ({ apps, instances }: Outcomes, things: readonly Thing[]): readonly string[] =>
  [...apps, ...instances].flatMap(({ id, problem }) =>
    problem === undefined
      ? []
      : [`${things.find((thing) => thing.id === id)?.label ?? 'One'}: ${problem.message}`],
  );

const inShort = (lines: readonly string[]): string =>
  lines.slice(0, 3).join(' ') + (lines.length > 3 ? ` And ${lines.length - 3} more.` : '');

function Problems({ lines }: { lines: readonly string[] }) {
  return (
    <div role="alert">
      {lines.map((line) => (
        <Text key={line} size="sm" c="var(--haic-bad)" className="break">
          {line}
        </Text>
      ))}
    </div>
  );
}

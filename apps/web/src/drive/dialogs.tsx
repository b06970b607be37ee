import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { CopyButton } from '../components/copy.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { nameOf, when } from './format.ts';
import { share } from './queries.ts';
import type { DriveAddress } from './types.ts';

/** Asks for something, and stays open with the reason when it is refused. */
export function AskDialog(props: {
  title: string;
  action: string;
  onSubmit: () => Promise<unknown>;
  onClose: () => void;
  disabled?: boolean;
  children: ReactNode;
}) {
  useReturnFocus();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy || props.disabled === true) return;
    setBusy(true);
    setError(undefined);
    try {
      await props.onSubmit();
      props.onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={props.onClose} title={props.title} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {props.children}
          <ProblemNotice error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy} disabled={props.disabled ?? false}>
              {props.action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** What is no name of one thing; undefined when it is one. */
function problemWithName(name: string): string | undefined {
  if (name.includes('/')) return 'A name has no slash.';
  if (name === '.' || name === '..') return 'This name has a meaning of its own in addresses.';
  return undefined;
}

export function NameDialog(props: {
  title: string;
  label: string;
  action: string;
  name: string;
  onName: (name: string) => Promise<unknown>;
  onClose: () => void;
}) {
  const [name, setName] = useState(props.name);
  const problem = problemWithName(name);
  return (
    <AskDialog
      title={props.title}
      action={props.action}
      onSubmit={() => props.onName(name)}
      onClose={props.onClose}
      disabled={name === '' || name === props.name || problem !== undefined}
    >
      <TextInput
        label={props.label}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={problem}
        data-autofocus
        autoComplete="off"
      />
    </AskDialog>
  );
}

const hour = 3600;
const times = [
  { value: String(hour), label: 'an hour' },
  { value: String(24 * hour), label: 'a day' },
  { value: String(3 * 24 * hour), label: 'three days' },
  { value: String(7 * 24 * hour), label: 'seven days, the longest' },
];

/** A link for whoever has it. Its address is shown once; it ends by itself, or when who made it takes it back (`links-dialog.tsx`). */
export function ShareDialog(props: { bucket: string; objectKey: string; onClose: () => void }) {
  useReturnFocus();
  const [seconds, setSeconds] = useState(String(24 * hour));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [made, setMade] = useState<DriveAddress>();
  const make = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      setMade(await share(props.bucket, props.objectKey, Number(seconds)));
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  return (
    <Modal opened onClose={props.onClose} title={`Share ${nameOf(props.objectKey)}`} centered>
      <Stack>
        <Text size="sm">
          Whoever has the link can download this file without signing in, until it ends. You can take it back
          before, under “My links”.
        </Text>
        <NativeSelect
          label="The link is good for"
          value={seconds}
          data={times}
          onChange={(event) => {
            setSeconds(event.currentTarget.value);
            setMade(undefined);
          }}
          data-autofocus
        />
        <ProblemNotice error={error} />
        {made !== undefined && (
          <>
            <TextInput
              label={`Link, good until ${when(made.expiresAt)}`}
              value={made.url}
              readOnly
              onFocus={(event) => event.currentTarget.select()}
            />
            <Group justify="flex-end">
              <CopyButton text={made.url} label="Copy the link" />
            </Group>
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Close
          </Button>
          {made === undefined && (
            <Button onClick={() => void make()} loading={busy}>
              Make a link
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

import { Button, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { type Secret, type SecretVisibility, useChangeSecret, useCreateSecret } from './queries.ts';
import { ValueFields } from './value-fields.tsx';
import { changeOf, emptyRow, keptRow, problemOfName, problemOfRow, type ValueRow } from './values.ts';
import { visibilityHints, visibilityNames } from './visibility.tsx';

/** Keeps a new secret: one's own or, for administrators, one for all users or for an app. */
export function NewSecretForm(props: {
  isAdmin: boolean;
  onClose: () => void;
  onKept: (secret: Secret) => void;
}) {
  const create = useCreateSecret();
  const [name, setName] = useState('');
  const [visibility, setVisibility] = useState<SecretVisibility>('PRIVATE');
  const [app, setApp] = useState('');
  const [tried, setTried] = useState(false);
  const nameProblem = problemOfName(name);
  const appProblem = visibility === 'APP' && app.trim() === '' ? 'Name the app.' : undefined;
  return (
    <SecretDialog
      title="Keep a secret"
      action="Keep it"
      rows={[emptyRow(1)]}
      isReady={nameProblem === undefined && appProblem === undefined}
      onTried={() => setTried(true)}
      onClose={props.onClose}
      onSave={async (rows) => {
        const parent = visibility === 'APP' ? { parent: `app:${app.trim()}` } : {};
        const { values } = changeOf(rows);
        props.onKept(await create.mutateAsync({ name, visibility, ...parent, values }));
      }}
    >
      <TextInput
        label="Name"
        description="How app.toml calls it."
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={tried || name !== '' ? nameProblem : undefined}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
      />
      {props.isAdmin && (
        <Radio.Group
          label="Whose apps may use it"
          value={visibility}
          onChange={(value) => setVisibility(value as SecretVisibility)}
        >
          <Stack gap="xs" mt="xs">
            {(['PRIVATE', 'ALL_USERS', 'APP'] as const).map((each) => (
              <Radio
                key={each}
                value={each}
                label={visibilityNames[each]}
                description={visibilityHints[each]}
              />
            ))}
          </Stack>
        </Radio.Group>
      )}
      {visibility === 'APP' && (
        <TextInput
          label="App"
          description="Its name, as app.toml says: for instance ai.example.forecast."
          value={app}
          onChange={(event) => setApp(event.currentTarget.value)}
          error={tried ? appProblem : undefined}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      {!props.isAdmin && (
        <Text size="sm" c="dimmed">
          {visibilityHints.PRIVATE}
        </Text>
      )}
    </SecretDialog>
  );
}

/** Changes, adds and removes keys. What a key holds is not shown and stays, unless it is replaced. */
export function ChangeSecretForm({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const change = useChangeSecret(secret);
  return (
    <SecretDialog
      title={`Change ${secret.name}`}
      action="Save"
      rows={secret.keys.map((key, index) => keptRow(key, index + 1))}
      isReady
      onTried={() => undefined}
      onClose={onClose}
      onSave={(rows) => change.mutateAsync(changeOf(rows))}
    >
      <Text size="sm" c="dimmed">
        Apps get the new values when they start next; what runs keeps what it has.
      </Text>
    </SecretDialog>
  );
}

function SecretDialog(props: {
  title: string;
  action: string;
  rows: readonly ValueRow[];
  isReady: boolean;
  onTried: () => void;
  onSave: (rows: readonly ValueRow[]) => Promise<unknown>;
  onClose: () => void;
  children: ReactNode;
}) {
  useReturnFocus();
  const [rows, setRows] = useState(props.rows);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    props.onTried();
    if (!props.isReady || rows.some((row) => problemOfRow(row, rows) !== undefined)) return;
    setBusy(true);
    setError(undefined);
    try {
      await props.onSave(rows);
      props.onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };

  return (
    <Modal opened onClose={props.onClose} title={props.title} centered size="lg">
      <form onSubmit={(event) => void save(event)} autoComplete="off" noValidate>
        <Stack>
          {props.children}
          <ValueFields rows={rows} onChange={setRows} tried={tried} disabled={busy} />
          <ProblemNotice error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              {props.action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

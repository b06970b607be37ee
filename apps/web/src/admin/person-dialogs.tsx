import { Text } from '@mantine/core';
import { useRef, useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { EndDialog } from './end-dialog.tsx';
import { HandOverDialog } from './hand-over-dialog.tsx';
import { PasswordShown } from './password-shown.tsx';
import { PersonForm } from './person-form.tsx';
import { type Person, useAddPerson, useChangePerson, useResetPassword } from './queries.ts';

export type Deed = 'edit' | 'reset' | 'hand-over' | 'disable' | 'enable' | 'remove';

export function AddPersonDialog({ onClose }: { onClose: () => void }) {
  const add = useAddPerson();
  const [added, setAdded] = useState<{ person: Person; password: string }>();
  if (added !== undefined)
    return <PasswordShown username={added.person.username} password={added.password} onClose={onClose} />;
  return (
    <PersonForm onClose={onClose} onSave={async (details) => setAdded(await add.mutateAsync(details))} />
  );
}

interface DialogProps {
  readonly person: Person;
  readonly own: boolean;
  readonly onClose: () => void;
  readonly onRemoved?: (() => void) | undefined;
}

export function PersonDialog({ deed, ...props }: DialogProps & { deed: Deed }) {
  if (deed === 'edit') return <EditDialog {...props} />;
  if (deed === 'reset') return <ResetDialog {...props} />;
  if (deed === 'enable') return <EnableDialog {...props} />;
  if (deed === 'hand-over')
    return (
      <HandOverDialog
        username={props.person.username}
        title={`Hand over what ${props.person.username} owns`}
        ownerIsActive={!props.person.disabled}
        onClose={props.onClose}
      />
    );
  return <EndDialog {...props} how={deed} />;
}

function EditDialog({ person, own, onClose }: DialogProps) {
  const change = useChangePerson(person.username);
  return (
    <PersonForm
      person={person}
      own={own}
      onClose={onClose}
      onSave={async ({ username: _username, ...changes }) => {
        await change.mutateAsync(changes);
        onClose();
      }}
    />
  );
}

function ResetDialog({ person, onClose }: DialogProps) {
  const reset = useResetPassword(person.username);
  const [password, setPassword] = useState<string>();
  const done = useRef(false);
  if (password !== undefined)
    return <PasswordShown username={person.username} password={password} onClose={onClose} />;
  return (
    <ConfirmDialog
      title={`Reset the password of ${person.username}?`}
      action="Reset password"
      // Not closed by success: the password takes its place.
      onClose={() => {
        if (!done.current) onClose();
      }}
      onConfirm={async () => {
        const answer = await reset.mutateAsync();
        done.current = true;
        setPassword(answer.password);
      }}
    >
      <Text>
        A new password is made and shown once. The old one, all sign-ins and all tokens of {person.username}{' '}
        end.
      </Text>
    </ConfirmDialog>
  );
}

function EnableDialog({ person, onClose }: DialogProps) {
  const change = useChangePerson(person.username);
  return (
    <ConfirmDialog
      title={`Enable ${person.username}?`}
      action="Enable"
      harmless
      onClose={onClose}
      onConfirm={() => change.mutateAsync({ disabled: false })}
    >
      <Text>
        {person.username} may sign in again with the same password. Tokens that ended stay ended, and what was
        paused stays paused until it is resumed.
      </Text>
    </ConfirmDialog>
  );
}

import { Text } from '@mantine/core';
import { useRef, useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { PasswordShown } from './password-shown.tsx';
import { PersonForm } from './person-form.tsx';
import { type Person, useAddPerson, useChangePerson, useRemovePerson, useResetPassword } from './queries.ts';

export type Deed = 'edit' | 'reset' | 'disable' | 'enable' | 'remove';

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
  if (deed === 'remove') return <RemoveDialog {...props} />;
  return <DisableDialog {...props} disable={deed === 'disable'} />;
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

function DisableDialog({ person, disable, onClose }: DialogProps & { disable: boolean }) {
  const change = useChangePerson(person.username);
  return (
    <ConfirmDialog
      title={disable ? `Disable ${person.username}?` : `Enable ${person.username}?`}
      action={disable ? 'Disable' : 'Enable'}
      onClose={onClose}
      onConfirm={() => change.mutateAsync({ disabled: disable })}
    >
      <Text>
        {disable
          ? `${person.username} is signed out everywhere and cannot sign in again until enabled. All tokens end for good; apps stay.`
          : `${person.username} may sign in again with the same password. Tokens that ended stay ended.`}
      </Text>
    </ConfirmDialog>
  );
}

function RemoveDialog({ person, onClose, onRemoved }: DialogProps) {
  const remove = useRemovePerson(person.username);
  return (
    <ConfirmDialog
      title={`Remove ${person.username}?`}
      action="Remove"
      onClose={onClose}
      onConfirm={async () => {
        await remove.mutateAsync();
        onRemoved?.();
      }}
    >
      <Text>
        The account, its sign-ins and its tokens are gone for good, and what {person.username} owns is left
        without an owner: a new person of the same name gets none of it. To only lock the account, disable it.
      </Text>
    </ConfirmDialog>
  );
}

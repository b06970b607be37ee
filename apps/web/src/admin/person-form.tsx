import { Button, Group, Modal, Radio, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import type { NewPerson, Person } from './queries.ts';
import {
  type Access,
  accessHints,
  accessNames,
  accessOf,
  furtherRoles,
  labelsFrom,
  rolesFrom,
} from './roles.ts';

const accesses: readonly Access[] = ['admin', 'user', 'visitor'];

/** Adds somebody, or changes `person`. Stays open with the reason when it is refused. */
export function PersonForm(props: {
  person?: Person;
  /** One's own account: the access cannot be lowered. */
  own?: boolean;
  onSave: (details: NewPerson) => Promise<unknown>;
  onClose: () => void;
}) {
  const { person } = props;
  const [username, setUsername] = useState(person?.username ?? '');
  const [name, setName] = useState(person?.name ?? '');
  const [email, setEmail] = useState(person?.email ?? '');
  const [access, setAccess] = useState<Access>(person === undefined ? 'user' : accessOf(person.roles));
  const [further, setFurther] = useState(furtherRoles(person?.roles ?? []).join(', '));
  const [groups, setGroups] = useState(person?.groups.join(', ') ?? '');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await props.onSave({
        username: username.trim(),
        ...(name.trim() === '' ? {} : { name }),
        email,
        roles: rolesFrom(access, labelsFrom(further), person?.roles),
        groups: labelsFrom(groups),
      });
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={person === undefined ? 'Add a person' : `Edit ${person.username}`}
      centered
    >
      <form onSubmit={(event) => void save(event)}>
        <Stack>
          {person === undefined && (
            <TextInput
              label="User name"
              description="To sign in with. It cannot be changed later."
              value={username}
              onChange={(event) => setUsername(event.currentTarget.value)}
              required
              maxLength={127}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              data-autofocus
            />
          )}
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            maxLength={200}
            autoComplete="off"
            required={person !== undefined}
            data-autofocus={person !== undefined || undefined}
          />
          <TextInput
            label="E-mail address"
            type="email"
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            maxLength={254}
            autoComplete="off"
          />
          <Radio.Group label="Access" value={access} onChange={(value) => setAccess(value as Access)}>
            <Stack gap="xs" mt="xs">
              {accesses.map((one) => (
                <Radio
                  key={one}
                  value={one}
                  label={accessNames[one]}
                  description={accessHints[one]}
                  disabled={props.own === true && one !== 'admin'}
                />
              ))}
            </Stack>
          </Radio.Group>
          <TextInput
            label="Groups"
            description="Separated by commas."
            value={groups}
            onChange={(event) => setGroups(event.currentTarget.value)}
            autoComplete="off"
          />
          <TextInput
            label="Further roles"
            description="Separated by commas; apps see them in the token."
            value={further}
            onChange={(event) => setFurther(event.currentTarget.value)}
            autoComplete="off"
          />
          <ProblemNotice error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              {person === undefined ? 'Add' : 'Save'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

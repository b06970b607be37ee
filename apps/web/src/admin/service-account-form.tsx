import { Button, Group, Modal, NativeSelect, Radio, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMe } from '../api/queries.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { type Access, accessHints, accessNames, labelsFrom, rolesFrom } from './roles.ts';
import { useAddServiceAccount, type WithSecret } from './service-accounts.ts';

const accesses: readonly Access[] = ['user', 'visitor', 'admin'];
const ends = [
  { value: '30', label: 'After 30 days' },
  { value: '90', label: 'After 90 days' },
  { value: '365', label: 'After a year' },
  { value: '', label: 'Never' },
];
const dayMs = 86_400_000;

/** Makes a service account. Stays open with the reason when it is refused. */
export function ServiceAccountForm(props: { onMade: (made: WithSecret) => void; onClose: () => void }) {
  useReturnFocus();
  const me = useMe();
  const adding = useAddServiceAccount();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [owner, setOwner] = useState(me.data?.username ?? '');
  const [access, setAccess] = useState<Access>('user');
  const [groups, setGroups] = useState('');
  const [days, setDays] = useState('365');

  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const made = await adding.mutateAsync({
      name: name.trim(),
      description,
      owner: owner.trim(),
      roles: rolesFrom(access, [], undefined),
      groups: labelsFrom(groups),
      ...(days === '' ? {} : { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() }),
    });
    props.onMade(made);
  };

  return (
    <Modal opened onClose={props.onClose} title="Make a service account" centered>
      {/* What went wrong is shown below. */}
      <form onSubmit={(event) => void save(event).catch(() => undefined)}>
        <Stack>
          <TextInput
            label="Name"
            description="Letters, digits and dashes, such as nightly-build. It cannot be changed later."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            maxLength={63}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            data-autofocus
          />
          <TextInput
            label="What it is for"
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
            maxLength={400}
            autoComplete="off"
          />
          <TextInput
            label="Owner"
            description="User name of who answers for it. It ends when this person is disabled or removed."
            value={owner}
            onChange={(event) => setOwner(event.currentTarget.value)}
            required
            maxLength={127}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
          />
          <Radio.Group label="Access" value={access} onChange={(value) => setAccess(value as Access)}>
            <Stack gap="xs" mt="xs">
              {accesses.map((one) => (
                <Radio key={one} value={one} label={accessNames[one]} description={accessHints[one]} />
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
          <NativeSelect
            label="Ends"
            data={ends}
            value={days}
            onChange={(event) => setDays(event.currentTarget.value)}
          />
          <ProblemNotice error={adding.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={adding.isPending}>
              Make
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

import { Anchor, Badge, Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import classes from '../components/rows.module.css';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { AccountMembers } from './account-members.tsx';
import { type Membership, nameOf, useChangeMember } from './groups.ts';
import { PersonPicker } from './person-picker.tsx';
import { type Person, usePeople } from './queries.ts';
import { TakeMemberDialog } from './take-member-dialog.tsx';

const labelsOf = (of: Membership, person: Person) => ('group' in of ? person.groups : person.roles);

/** Who is in a group or has a role, to add to and take from. */
export function Members({ of, adds, takes }: { of: Membership; adds: string; takes: string }) {
  const query = useSearchParam();
  const name = nameOf(of);
  const people = usePeople({ query, ...('group' in of ? { group: name } : { role: name }) });
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Person>();
  const items = people.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Stack gap="lg">
      <Group justify="space-between" gap="sm">
        <div style={{ flex: '1 1 240px' }}>
          <SearchField label="Search members" />
        </div>
        <Button leftSection={<IconUserPlus size={16} aria-hidden="true" />} onClick={() => setAdding(true)}>
          {adds}
        </Button>
      </Group>
      {people.isError && <ProblemNotice error={people.error} onRetry={() => void people.refetch()} />}
      {people.isPending && <Skeleton h={160} radius={12} aria-busy="true" aria-label="Loading members" />}
      {items.length > 0 && <MemberTable members={items} name={name} takes={takes} onTake={setLeaving} />}
      {people.isSuccess && items.length === 0 && (
        <Empty title={query === '' ? 'Nobody yet' : `Nobody found for “${query}”`}>
          {query === ''
            ? `Nobody has “${name}” now.`
            : 'Part of a user name, name or e-mail address was searched.'}
        </Empty>
      )}
      <More of={people} />
      <AccountMembers of={of} takes={takes} query={query} />
      {adding && <AddMemberDialog of={of} title={adds} onClose={() => setAdding(false)} />}
      {leaving !== undefined && (
        <TakeMemberDialog
          of={of}
          username={leaving.username}
          title={takes}
          onClose={() => setLeaving(undefined)}
        />
      )}
    </Stack>
  );
}

function MemberTable(props: {
  members: readonly Person[];
  name: string;
  takes: string;
  onTake: (person: Person) => void;
}) {
  return (
    <table className={classes.table} aria-label={`Members of ${props.name}`}>
      <thead>
        <tr>
          <th scope="col">Person</th>
          <th scope="col">Groups</th>
          <th scope="col">
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {props.members.map((person) => (
          <tr key={person.subject}>
            <td className={classes.wide}>
              <Anchor
                component={Link}
                to={`/admin/people/${encodeURIComponent(person.username)}/account`}
                fw={600}
                size="sm"
                className="break"
              >
                {person.name}
              </Anchor>
              {person.disabled && (
                <Badge variant="light" color="red" size="sm" tt="none" ml={8}>
                  Disabled
                </Badge>
              )}
              <Text size="xs" c="dimmed" className="break">
                {person.username}
              </Text>
            </td>
            <td className="break">
              <span className={classes.label}>Groups </span>
              {person.groups.length === 0 ? 'none' : person.groups.join(', ')}
            </td>
            <td className={classes.actions}>
              <Button
                size="xs"
                variant="default"
                onClick={() => props.onTake(person)}
                aria-label={`${props.takes}: ${person.username}`}
              >
                Remove
              </Button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function AddMemberDialog(props: { of: Membership; title: string; onClose: () => void }) {
  useReturnFocus();
  const change = useChangeMember(props.of);
  const [username, setUsername] = useState<string>();
  const add = async (): Promise<void> => {
    if (username === undefined) return;
    await change.mutateAsync({ username, how: 'add' });
    props.onClose();
  };
  return (
    <Modal opened onClose={props.onClose} title={`${props.title}: ${nameOf(props.of)}`} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // What went wrong is shown below.
          void add().catch(() => undefined);
        }}
      >
        <Stack>
          <PersonPicker
            label="Person"
            value={username}
            onChange={setUsername}
            isOffered={(person) => !labelsOf(props.of, person).includes(nameOf(props.of))}
            disabled={change.isPending}
          />
          <ProblemNotice error={change.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={change.isPending} disabled={username === undefined}>
              Add
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

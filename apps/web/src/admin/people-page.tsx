import { Anchor, Badge, Button, Skeleton, Stack, Text } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { useMe } from '../api/queries.ts';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import classes from '../components/rows.module.css';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { Age } from '../components/time.tsx';
import { AddPersonDialog, type Deed, PersonDialog } from './person-dialogs.tsx';
import { PersonMenu } from './person-menu.tsx';
import { type Person, usePeople } from './queries.ts';
import { accessNames, accessOf, furtherRoles } from './roles.ts';

export function PeoplePage() {
  const query = useSearchParam();
  const people = usePeople({ query });
  const [adding, setAdding] = useState(false);
  const items = people.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHeader
        title="People"
        hint="Who may sign in, and what they may do."
        actions={
          <Button
            leftSection={<IconUserPlus size={16} aria-hidden="true" />}
            onClick={() => setAdding(true)}
            disabled={people.isError}
          >
            Add a person
          </Button>
        }
      />
      <Stack gap="lg">
        <SearchField label="Search people, roles and groups" />
        {people.isError && <ProblemNotice error={people.error} onRetry={() => void people.refetch()} />}
        {people.isPending && <Skeleton h={240} radius={12} aria-busy="true" aria-label="Loading people" />}
        {items.length > 0 && <PeopleTable people={items} />}
        {people.isSuccess && items.length === 0 && (
          <Empty title={`Nobody found for “${query}”`}>
            Part of a user name, name or e-mail address was searched, and whole roles and groups.
          </Empty>
        )}
        <More of={people} />
      </Stack>
      {adding && <AddPersonDialog onClose={() => setAdding(false)} />}
    </>
  );
}

function PeopleTable({ people }: { people: readonly Person[] }) {
  const me = useMe();
  const [chosen, setChosen] = useState<{ person: Person; deed: Deed }>();
  const isOwn = (person: Person): boolean => person.subject === me.data?.subject;
  return (
    <>
      <table className={classes.table} aria-label="People">
        <thead>
          <tr>
            <th scope="col">Person</th>
            <th scope="col">Access</th>
            <th scope="col">Groups</th>
            <th scope="col">Added</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {people.map((person) => (
            <PersonRow
              key={person.subject}
              person={person}
              own={isOwn(person)}
              onPick={(deed) => setChosen({ person, deed })}
            />
          ))}
        </tbody>
      </table>
      {chosen !== undefined && (
        <PersonDialog {...chosen} own={isOwn(chosen.person)} onClose={() => setChosen(undefined)} />
      )}
    </>
  );
}

function PersonRow(props: { person: Person; own: boolean; onPick: (deed: Deed) => void }) {
  const { person } = props;
  return (
    <tr>
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
        {props.own && ' (you)'}
        <Text size="xs" c="dimmed" className="break">
          {person.username}
          {person.email === '' ? '' : ` · ${person.email}`}
        </Text>
      </td>
      <td>
        <PersonAccess person={person} />
      </td>
      <td className="break">
        <span className={classes.label}>Groups </span>
        {person.groups.length === 0 ? 'none' : person.groups.join(', ')}
      </td>
      <td>
        <span className={classes.label}>Added </span>
        <Age iso={person.createdAt} />
      </td>
      <td className={classes.actions}>
        <PersonMenu person={person} own={props.own} onPick={props.onPick} />
      </td>
    </tr>
  );
}

export function PersonAccess({ person }: { person: Person }) {
  const further = furtherRoles(person.roles);
  return (
    <>
      {accessNames[accessOf(person.roles)]}
      {person.disabled && (
        <Badge variant="light" color="red" size="sm" tt="none" ml={8}>
          Disabled
        </Badge>
      )}
      {further.length > 0 && (
        <Text size="xs" c="dimmed" className="break">
          {further.join(', ')}
        </Text>
      )}
    </>
  );
}

import { Menu, Skeleton, Stack, Text } from '@mantine/core';
import { IconTrash, IconUserShare } from '@tabler/icons-react';
import { useState } from 'react';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowMenu } from '../components/row-menu.tsx';
import classes from '../components/rows.module.css';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { Age, useNow } from '../components/time.tsx';
import { OperationPanel } from '../drive/operation-panel.tsx';
import {
  type FormerPerson,
  inWords,
  nameOf,
  operationInWords,
  timeUntil,
  trashInWords,
  useFormerPeople,
} from './former-people.ts';
import { HandOverDriveDialog, PurgeDriveDialog } from './former-people-dialogs.tsx';

/** What those who were removed had in their own buckets of Drive. */
export function FormerPeoplePage() {
  const query = useSearchParam();
  const people = useFormerPeople(query);
  const items = people.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHeader
        title="Left in Drive"
        hint="What people who were removed had in their own buckets. It is kept for 30 days, and nobody reads it before it is handed over."
      />
      <Stack gap="lg">
        <SearchField label="Search former people" />
        <OperationPanel />
        {people.isError && <ProblemNotice error={people.error} onRetry={() => void people.refetch()} />}
        {people.isPending && (
          <Skeleton h={160} radius={12} aria-busy="true" aria-label="Loading former people" />
        )}
        {items.length > 0 && <FormerPeopleTable people={items} />}
        {people.isSuccess && items.length === 0 && (
          <Empty title={query === '' ? 'Nothing is left' : `Nobody found for “${query}”`}>
            {query === ''
              ? 'When somebody is removed, what they have in Drive is listed here.'
              : 'Part of the user name was searched.'}
          </Empty>
        )}
        <More of={people} />
      </Stack>
    </>
  );
}

type Asked = { readonly what: 'hand-over' | 'purge'; readonly person: FormerPerson };

function FormerPeopleTable({ people }: { people: readonly FormerPerson[] }) {
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  return (
    <>
      <table className={classes.table} aria-label="Former people">
        <thead>
          <tr>
            <th scope="col">Person</th>
            <th scope="col">Left</th>
            <th scope="col">Removed</th>
            <th scope="col">Kept until</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {people.map((person) => (
            <FormerPersonRow
              key={person.subject}
              person={person}
              onAsk={(what) => setAsked({ what, person })}
            />
          ))}
        </tbody>
      </table>
      {asked?.what === 'hand-over' && <HandOverDriveDialog person={asked.person} onClose={close} />}
      {asked?.what === 'purge' && <PurgeDriveDialog person={asked.person} onClose={close} />}
    </>
  );
}

type Row = { person: FormerPerson; onAsk: (what: Asked['what']) => void };

function FormerPersonRow({ person, onAsk }: Row) {
  const now = useNow(60_000);
  const [left, inTrash] = [inWords(person.usage), trashInWords(person)];
  const begun = operationInWords(person);
  return (
    <tr>
      <td className={classes.wide}>
        <Text fw={600} size="sm" className="break" component="span">
          {nameOf(person)}
        </Text>
        {person.username === '' && (
          <Text size="xs" c="dimmed">
            Their user name is not known.
          </Text>
        )}
      </td>
      <td>
        <span className={classes.label}>Left </span>
        {left || inTrash || 'nothing'}
        {left !== '' && inTrash !== '' && (
          <Text size="xs" c="dimmed">
            and {inTrash}
          </Text>
        )}
        {begun !== undefined && (
          <Text size="xs" c={begun.isBad ? 'var(--haic-bad)' : 'dimmed'} className="break">
            {begun.text}
          </Text>
        )}
      </td>
      <td>
        <span className={classes.label}>Removed </span>
        <Age iso={person.endedAt} />
      </td>
      <td>
        <span className={classes.label}>Kept until </span>
        <time dateTime={person.purgeAt}>{new Date(person.purgeAt).toLocaleDateString()}</time>
        <Text size="xs" c="dimmed">
          gone {timeUntil(person.purgeAt, now)}
        </Text>
      </td>
      <td className={classes.actions}>
        <FormerPersonMenu person={person} onAsk={onAsk} />
      </td>
    </tr>
  );
}

function FormerPersonMenu({ person, onAsk }: Row) {
  return (
    <RowMenu name={nameOf(person)}>
      <Menu.Item
        leftSection={<IconUserShare size={16} aria-hidden="true" />}
        onClick={() => onAsk('hand-over')}
        disabled={person.usage.objects === 0}
      >
        Hand over
      </Menu.Item>
      <Menu.Item
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        style={{ color: 'var(--mantine-color-error)' }}
        onClick={() => onAsk('purge')}
      >
        Purge
      </Menu.Item>
    </RowMenu>
  );
}

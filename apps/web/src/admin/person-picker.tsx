import { Radio, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useId, useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { type PeopleFilter, type Person, usePeople } from './queries.ts';

const shown = 6;

/** Finds somebody by part of a name, and chooses them. Whoever may not sign in is not offered. */
export function PersonPicker(props: {
  label: string;
  value: string | undefined;
  onChange: (username: string) => void;
  isOffered?: (person: Person) => boolean;
  disabled?: boolean;
}) {
  const [typed, setTyped] = useState('');
  const [query] = useDebouncedValue(typed.trim(), 200);
  const filter: PeopleFilter = { query };
  const people = usePeople(filter);
  const list = useId();
  const found = (people.data?.pages[0]?.items ?? []).filter(
    (person) => !person.disabled && (props.isOffered?.(person) ?? true),
  );
  return (
    <Stack gap="xs">
      <TextInput
        type="search"
        label={props.label}
        placeholder="Part of a name"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        autoComplete="off"
        aria-controls={list}
        disabled={props.disabled ?? false}
      />
      <ProblemNotice error={people.error} />
      <div id={list} aria-live="polite">
        {people.isSuccess && found.length === 0 ? (
          <Text size="sm" c="dimmed">
            Nobody found who could take it.
          </Text>
        ) : (
          <Radio.Group
            aria-label={`${props.label}: found`}
            value={props.value ?? ''}
            onChange={props.onChange}
          >
            <Stack gap={6}>
              {found.slice(0, shown).map((person) => (
                <Radio
                  key={person.subject}
                  value={person.username}
                  label={person.name}
                  description={person.username}
                  disabled={props.disabled ?? false}
                />
              ))}
            </Stack>
          </Radio.Group>
        )}
        {found.length > shown && (
          <Text size="xs" c="dimmed" mt={6}>
            and more: type another letter
          </Text>
        )}
      </div>
    </Stack>
  );
}

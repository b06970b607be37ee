import { Radio, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useId, useState } from 'react';
import { ProblemNotice } from './problem-notice.tsx';

const shown = 6;

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly description: string;
}

/** What is typed into a picker, and what to search for by it. */
export function useTyped() {
  const [typed, setTyped] = useState('');
  const [query] = useDebouncedValue(typed.trim(), 200);
  return { typed, setTyped, query };
}

/** Finds something by part of a name, and chooses it. */
export function Picker(props: {
  label: string;
  by: ReturnType<typeof useTyped>;
  search: { readonly isSuccess: boolean; readonly error: unknown };
  found: readonly Choice[];
  nothing: string;
  value: string | undefined;
  onChange: (value: string) => void;
  disabled: boolean;
}) {
  const { by, search, found } = props;
  const list = useId();
  return (
    <Stack gap="xs">
      <TextInput
        type="search"
        label={props.label}
        placeholder="Part of a name"
        value={by.typed}
        onChange={(event) => by.setTyped(event.currentTarget.value)}
        autoComplete="off"
        aria-controls={list}
        disabled={props.disabled}
        data-autofocus
      />
      <ProblemNotice error={search.error} />
      <div id={list} aria-live="polite">
        {search.isSuccess && found.length === 0 ? (
          <Text size="sm" c="dimmed">
            {props.nothing}
          </Text>
        ) : (
          <Radio.Group
            aria-label={`${props.label}: found`}
            value={props.value ?? ''}
            onChange={props.onChange}
          >
            <Stack gap={6}>
              {found.slice(0, shown).map((choice) => (
                <Radio key={choice.value} {...choice} disabled={props.disabled} />
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

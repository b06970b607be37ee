// For the arrow of a NativeSelect.
import '@mantine/core/styles/Combobox.css';
import { Button, Group, NativeSelect } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';

/** A filter in the address, so that a list can be linked to, and back leads back. */
export function useFilter(name: string): readonly [string, (value: string) => void] {
  const [parameters, setParameters] = useSearchParams();
  const set = (value: string): void =>
    setParameters((current) => {
      const next = new URLSearchParams(current);
      if (value === '') next.delete(name);
      else next.set(name, value);
      return next;
    });
  return [parameters.get(name) ?? '', set];
}

/** `?owner=bob` */
export const withFilter = (name: string, value: string): string =>
  `?${new URLSearchParams({ [name]: value })}`;

export function Choice(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly { value: string; label: string }[];
}) {
  return (
    <NativeSelect
      aria-label={props.label}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      data={[{ value: '', label: `${props.label}: any` }, ...props.options]}
    />
  );
}

/** Filters that were followed as links: what is filtered, and the way out. */
export function Chips({
  chips,
}: {
  chips: readonly { label: string; value: string; onClear: () => void }[];
}) {
  const shown = chips.filter(({ value }) => value !== '');
  if (shown.length === 0) return null;
  return (
    <Group gap="xs">
      {shown.map(({ label, value, onClear }) => (
        <Button
          key={label}
          size="compact-sm"
          variant="default"
          rightSection={<IconX size={14} aria-hidden="true" />}
          onClick={onClear}
          aria-label={`${label} ${value}: show all again`}
        >
          {label}: {value}
        </Button>
      ))}
    </Group>
  );
}

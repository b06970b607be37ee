import { TextInput } from '@mantine/core';

/** A secret as it is typed: never shown, and nothing that a browser fills in or offers to keep. */
export const SecretField = (props: {
  label: string;
  description?: string;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}) => (
  <TextInput
    type="password"
    label={props.label}
    description={props.description}
    value={props.value}
    onChange={(event) => props.onChange(event.currentTarget.value)}
    error={props.error}
    autoComplete="new-password"
    spellCheck={false}
  />
);

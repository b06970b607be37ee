import { Picker, useTyped } from '../components/picker.tsx';
import { type Person, usePeople } from './queries.ts';

/** Finds somebody by part of a name, and chooses them. Whoever may not sign in is not offered. */
export function PersonPicker(props: {
  label: string;
  value: string | undefined;
  onChange: (username: string) => void;
  isOffered?: (person: Person) => boolean;
  disabled?: boolean;
}) {
  const by = useTyped();
  const people = usePeople({ query: by.query });
  const found = (people.data?.pages[0]?.items ?? []).filter(
    (person) => !person.disabled && (props.isOffered?.(person) ?? true),
  );
  return (
    <Picker
      label={props.label}
      by={by}
      search={people}
      found={found.map(({ username, name }) => ({ value: username, label: name, description: username }))}
      nothing="Nobody found who could take it."
      value={props.value}
      onChange={props.onChange}
      disabled={props.disabled ?? false}
    />
  );
}

import { Picker, useTyped } from '../components/picker.tsx';
import { useFindMembers } from './queries.ts';

/** Finds people, service accounts and groups by part of a name, and chooses one. */
export function MemberPicker(props: {
  label: string;
  withGroups: boolean;
  value: string | undefined;
  onChange: (member: string) => void;
  /** `users/…` and `groups/…` that are not offered. */
  except: readonly string[];
  disabled: boolean;
}) {
  const by = useTyped();
  const search = useFindMembers(by.query, props.withGroups);
  const found = (search.data ?? []).filter(({ value }) => !props.except.includes(value));
  return (
    <Picker
      label={props.label}
      by={by}
      search={search}
      found={found}
      nothing="Nobody found who is not in it already."
      value={props.value}
      onChange={props.onChange}
      disabled={props.disabled}
    />
  );
}

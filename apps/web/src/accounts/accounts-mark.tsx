import { useLoginsNeeded } from './queries.ts';

/** Beside the place of the accounts, while the provider of one gives no more: who does not look there would hear of it from a broken app. */
export function AccountsMark() {
  const count = useLoginsNeeded().data ?? 0;
  if (count === 0) return null;
  const text = count === 1 ? '1 needs a login' : `${count} need a login`;
  return (
    // Beside the label, and not in its line: that has no room to spare.
    <span title={text} style={{ position: 'absolute', right: 8 }}>
      <span className="dot" data-tone="bad" aria-hidden="true" style={{ display: 'block' }} />
      <span className="visually-hidden">{text}</span>
    </span>
  );
}

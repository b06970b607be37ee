/** Labels or annotations with a change laid over them; undefined removes a key. */
export function merged(
  values: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> {
  const entries = Object.entries({ ...values, ...change });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The same text for the same value, whatever the order of its keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

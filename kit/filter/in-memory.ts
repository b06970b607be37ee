import { cutList, type ListQuery } from './list.ts';
import { comparableOf, compareValues, folded, matches, type Row } from './matches.ts';
import { type FilterValue, fieldIn, limits, type SortKey } from './model.ts';

/** The page of a list that is in memory; what `platform/database/filter.ts` asks of PostgreSQL. */
export function listInMemory<T>(
  query: ListQuery,
  items: Iterable<T>,
  rowOf: (item: T) => Row,
): { readonly items: readonly T[]; readonly nextPageToken: string } {
  const { spec, order, after } = query;
  const place = after?.map((key, at) => keyFrom(query, order[at], key));
  const found = [...items]
    .filter((item) => matches(query.filter, spec.fields, rowOf(item)))
    .map((item) => ({ item, keys: order.map((key) => sortKeyOf(query, key, rowOf(item))) }))
    .filter(({ keys }) => place === undefined || compareKeys(order, keys, place) > 0)
    .sort((a, b) => compareKeys(order, a.keys, b.keys));
  const { items: page, nextPageToken } = cutList(query, found, ({ keys }) =>
    keys.map((key) => (key === null ? null : String(key))),
  );
  return { items: page.map(({ item }) => item), nextPageToken };
}

type Key = FilterValue | null;

function sortKeyOf({ spec }: ListQuery, { field: name }: SortKey, row: Row): Key {
  const [field, value] = [fieldIn(spec.fields, name), row[name]];
  if (field === undefined || value === null || value === undefined) return null;
  const key = comparableOf(value, field);
  const isText = field.type === 'text' || field.type === 'enum';
  if (!isText || name === spec.unique || typeof key !== 'string') return key;
  return folded([...key].slice(0, limits.sortedCharacters).join(''));
}

function keyFrom({ spec }: ListQuery, sortKey: SortKey | undefined, text: string | null): Key {
  if (text === null) return null;
  switch (fieldIn(spec.fields, sortKey?.field ?? '')?.type) {
    case 'integer':
      return BigInt(text);
    case 'number':
      return Number(text);
    case 'boolean':
      return text === 'true';
    default:
      return text;
  }
}

/** What is not set is the greatest, as PostgreSQL sorts it. */
function compareKeys(order: readonly SortKey[], a: readonly Key[], b: readonly Key[]): number {
  for (const [at, { descending }] of order.entries()) {
    const [x = null, y = null] = [a[at], b[at]];
    const difference =
      x === null || y === null ? Number(x === null) - Number(y === null) : compareValues(x, y);
    if (difference !== 0) return descending ? -difference : difference;
  }
  return 0;
}

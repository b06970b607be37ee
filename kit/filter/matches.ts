import type { Filter, FilterField, FilterFields, FilterValue } from './model.ts';
import { fieldIn } from './model.ts';
import { timestampOfDate } from './timestamp.ts';

/** What a row may have for a field. */
export type RowValue = string | number | bigint | boolean | Date | readonly string[] | null | undefined;

/** By the names of the fields. */
export type Row = Readonly<Record<string, RowValue>>;

/**
 * Whether a row is one that the filter keeps. What is not set equals nothing, is less and greater than nothing, and differs from everything; and NOT
 * turns that round, unlike SQL's.
 */
export function matches(filter: Filter | undefined, fields: FilterFields, row: Row): boolean {
  switch (filter?.kind) {
    case undefined:
      return true;
    case 'and':
      return filter.terms.every((term) => matches(term, fields, row));
    case 'or':
      return filter.terms.some((term) => matches(term, fields, row));
    case 'not':
      return !matches(filter.term, fields, row);
    case 'in':
      return filter.values.some((value) => compares(fields, row, filter.field, '=', value));
    case 'compare':
      return compares(fields, row, filter.field, filter.operator, filter.value);
  }
}

function compares(
  fields: FilterFields,
  row: Row,
  name: string,
  operator: string,
  value: FilterValue,
): boolean {
  const field = fieldIn(fields, name);
  const has = row[name];
  if (operator === ':') return contains(has, String(value));
  if (has === null || has === undefined || field === undefined) return operator === '!=';
  const order = compareValues(comparableOf(has, field), value);
  switch (operator) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

/** One of several texts, or a part of one text in upper or lower case. */
function contains(has: RowValue, value: string): boolean {
  if (Array.isArray(has)) return has.includes(value);
  return typeof has === 'string' && folded(has).includes(folded(value));
}

export function comparableOf(value: Exclude<RowValue, null | undefined>, field: FilterField): FilterValue {
  if (value instanceof Date) return timestampOfDate(value);
  if (field.type === 'integer' && typeof value === 'number') return BigInt(value);
  return typeof value === 'object' ? '' : value;
}

/** Texts by code points, which is what PostgreSQL's collation "C" does. */
export function compareValues(a: FilterValue, b: FilterValue): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** JavaScript compares UTF-16, in which what is beyond the first plane comes before the end of it. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdfff;

/** Lower case, one character for one, as PostgreSQL's `lower` has it in C.UTF-8. */
export const folded = (text: string): string =>
  text.replace(/[^a-z]/gu, (sign) => (sign === 'İ' ? 'i' : sign.toLowerCase()));

/**
 * What a list may be filtered and sorted by, and what a filter says once it was read: every field of it is known, every value of the type of its
 * field. `parse.ts` reads the text; `platform/database/filter.ts` makes SQL of it, `matches.ts` a predicate.
 */

export type FilterField =
  | { readonly type: 'text' | 'integer' | 'number' | 'boolean' | 'timestamp'; readonly nullable?: true }
  /** Names in capitals, written bare or quoted. */
  | { readonly type: 'enum'; readonly values: readonly string[]; readonly nullable?: true }
  /** Several texts, asked for one of them by `:`. */
  | { readonly type: 'texts' };

/** By their names in filters. */
export type FilterFields = Readonly<Record<string, FilterField>>;

export const comparisons = ['=', '!=', '<', '<=', '>', '>=', ':'] as const;
export type Comparison = (typeof comparisons)[number];

/** Of a text or an enum its text, of an integer a bigint of 64 bits; a timestamp as `2026-01-02T03:04:05.000000Z`, so that texts compare as times do. */
export type FilterValue = string | bigint | number | boolean;

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Filter[] }
  | { readonly kind: 'not'; readonly term: Filter }
  | {
      readonly kind: 'compare';
      readonly field: string;
      readonly operator: Comparison;
      readonly value: FilterValue;
    }
  | { readonly kind: 'in'; readonly field: string; readonly values: readonly FilterValue[] };

export interface SortKey {
  readonly field: string;
  readonly descending: boolean;
}

/** What a stranger may make a server do: more than any list is asked for, and cheap. */
export const limits = {
  characters: 10_000,
  depth: 32,
  values: 1_000,
  sortKeys: 8,
  /** More of a long text is not looked at for the order, nor carried in a page token. */
  sortedCharacters: 200,
} as const;

export const fieldIn = (fields: FilterFields, name: string): FilterField | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

const comparable: Readonly<Record<FilterField['type'], readonly string[]>> = {
  text: ['=', '!=', '<', '<=', '>', '>=', ':', 'in'],
  integer: ['=', '!=', '<', '<=', '>', '>=', 'in'],
  number: ['=', '!=', '<', '<=', '>', '>=', 'in'],
  timestamp: ['=', '!=', '<', '<=', '>', '>=', 'in'],
  boolean: ['=', '!=', 'in'],
  enum: ['=', '!=', 'in'],
  texts: [':'],
};

export const operatorsOf = (field: FilterField): readonly string[] => comparable[field.type];

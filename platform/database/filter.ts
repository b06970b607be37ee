import type { ListQuery, ListSpec } from '@haic/kit/filter/list.ts';
import {
  type Comparison,
  type Filter,
  type FilterField,
  type FilterValue,
  fieldIn,
  limits,
  type SortKey,
} from '@haic/kit/filter/model.ts';
import type { Fragment, Sql, TransactionSql } from 'postgres';

/**
 * By the names of a list's fields: the expression that has their value. An integer is a bigint, a number a float8, texts are a text[], and a column
 * that can be null belongs to a field that is `nullable`.
 */
export type Columns<Spec extends ListSpec> = Readonly<Record<keyof Spec['fields'], Fragment>>;

export interface ListFragments {
  /** A condition: what the filter keeps, behind the page before. */
  readonly where: Fragment;
  /** Of `order by`. */
  readonly order: Fragment;
  /** One more than fits on the page, so that `cutList` sees whether there are more. */
  readonly limit: number;
  /** To be selected: a list of texts, what `cutList` makes the next page token of. */
  readonly keys: Fragment;
}

/**
 * A list's question as parts of a statement:
 *
 *     const asked = listFragments(sql, query, { name: sql`name`, create_time: sql`created_at` });
 *     const rows = await sql`select *, ${asked.keys} as keys from … where ${scope} and ${asked.where} order by ${asked.order} limit ${asked.limit}`;
 *     const { items, nextPageToken } = cutList(query, rows, ({ keys }) => keys);
 *
 * Every value is a parameter, and every expression is one of `columns`: nothing of what a client wrote becomes SQL. Texts compare by code points
 * and sort without regard to upper and lower case, whatever the database's own collation is.
 */
export function listFragments<Spec extends ListSpec>(
  sql: Sql | TransactionSql,
  query: ListQuery<Spec>,
  columns: Columns<Spec>,
): ListFragments {
  const list: List = { sql, spec: query.spec, columns };
  const keys = query.order.map((key) => sortable(list, key));
  const kept = query.filter === undefined ? sql`true` : condition(list, query.filter);
  const behind = query.after === undefined ? sql`true` : after(list, keys, query.after);
  return {
    where: sql`(${kept}) and (${behind})`,
    order: joined(
      list,
      keys.map(({ expression, descending }) => sql`${expression} ${descending ? sql`desc` : sql`asc`}`),
      sql`, `,
    ),
    limit: query.pageSize + 1,
    keys: sql`json_build_array(${joined(
      list,
      keys.map(({ text }) => text),
      sql`, `,
    )})`,
  };
}

/** The condition alone, for counts. */
export const filterFragment = <Spec extends ListSpec>(
  sql: Sql | TransactionSql,
  query: ListQuery<Spec>,
  columns: Columns<Spec>,
): Fragment =>
  query.filter === undefined ? sql`true` : condition({ sql, spec: query.spec, columns }, query.filter);

interface List {
  readonly sql: Sql | TransactionSql;
  readonly spec: ListSpec;
  readonly columns: Readonly<Record<string, Fragment>>;
}

/** Two-valued, as `matches` is: what is not set is false to a comparison, and NOT turns that round. */
function condition(list: List, filter: Filter): Fragment {
  const { sql } = list;
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const terms = filter.terms.map((term) => sql`(${condition(list, term)})`);
      return joined(list, terms, filter.kind === 'and' ? sql` and ` : sql` or `);
    }
    case 'not':
      return sql`not (${condition(list, filter.term)})`;
    case 'in': {
      if (filter.values.length === 0) return sql`false`;
      const { field, expression } = columnOf(list, filter.field);
      const values = filter.values.map((value) => parameter(list, field, value));
      return known(list, field, sql`${expression} in (${joined(list, values, sql`, `)})`);
    }
    case 'compare':
      return comparison(list, filter.field, filter.operator, filter.value);
  }
}

function comparison(list: List, name: string, operator: Comparison, value: FilterValue): Fragment {
  const { sql } = list;
  const { field, expression } = columnOf(list, name);
  const right = parameter(list, field, value);
  switch (operator) {
    case '=':
      return known(list, field, sql`${expression} = ${right}`);
    case '!=':
      return isNullable(field)
        ? sql`${expression} is distinct from ${right}`
        : sql`${expression} <> ${right}`;
    case '<':
      return known(list, field, sql`${expression} < ${right}`);
    case '<=':
      return known(list, field, sql`${expression} <= ${right}`);
    case '>':
      return known(list, field, sql`${expression} > ${right}`);
    case '>=':
      return known(list, field, sql`${expression} >= ${right}`);
    case ':':
      return field.type === 'texts'
        ? sql`${right} = any(${expression})`
        : known(list, field, sql`strpos(${lowered(list, expression)}, ${lowered(list, right)}) > 0`);
  }
}

/** A comparison that is null where the value is, made false. */
const known = ({ sql }: List, field: FilterField, test: Fragment): Fragment =>
  isNullable(field) ? sql`coalesce(${test}, false)` : test;

const isNullable = (field: FilterField): boolean => field.type !== 'texts' && field.nullable === true;

function columnOf({ sql, spec, columns }: List, name: string): { field: FilterField; expression: Fragment } {
  const field = fieldIn(spec.fields, name);
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (field === undefined || column === undefined) throw new Error(`The list has no column for ${name}.`);
  return { field, expression: isText(field) ? sql`(${column})::text collate "C"` : sql`(${column})` };
}

const isText = (field: FilterField): boolean => field.type === 'text' || field.type === 'enum';

/** In the database's own collation, whose letters are more than those of ASCII. */
const lowered = ({ sql }: List, text: Fragment): Fragment => sql`lower((${text}) collate "default")`;

/** Its type is said, and reached by way of a text: the driver would make a Date, which has no microseconds, of what is compared with a time. */
function parameter({ sql }: List, field: FilterField, value: FilterValue): Fragment {
  const text = String(value);
  switch (field.type) {
    case 'integer':
      return sql`${text}::text::bigint`;
    case 'number':
      return sql`${text}::text::float8`;
    case 'boolean':
      return sql`${text}::text::boolean`;
    case 'timestamp':
      return sql`${text}::text::timestamptz`;
    default:
      return sql`${text}::text`;
  }
}

interface Sortable {
  readonly field: FilterField;
  readonly expression: Fragment;
  /** Its value as a page token has it. */
  readonly text: Fragment;
  readonly descending: boolean;
}

function sortable(list: List, { field: name, descending }: SortKey): Sortable {
  const { sql } = list;
  const { field, expression } = columnOf(list, name);
  // What tells items apart is taken as it is.
  if (isText(field) && name !== list.spec.unique) {
    const shortened = sql`${lowered(list, sql`left(${expression}, ${limits.sortedCharacters})`)} collate "C"`;
    return { field, expression: shortened, text: shortened, descending };
  }
  const text =
    field.type === 'timestamp'
      ? sql`to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
      : sql`${expression}::text`;
  return { field, expression, text, descending };
}

/** What comes behind a place: the first key beyond its own, or the same and the second beyond its own, and so on. */
function after(list: List, keys: readonly Sortable[], place: readonly (string | null)[]): Fragment {
  const { sql } = list;
  const [key, ...others] = keys;
  const [at = null, ...rest] = place;
  if (key === undefined) return sql`false`;
  const right = at === null ? undefined : parameter(list, key.field, at);
  if (others.length === 0) return beyond(list, key, right);
  const same = right === undefined ? sql`${key.expression} is null` : sql`${key.expression} = ${right}`;
  const behind = sql`(${beyond(list, key, right)}) or (${same} and (${after(list, others, rest)}))`;
  // Says no more than the rest does, but an index can begin there.
  if (right === undefined || isNullable(key.field)) return behind;
  return key.descending
    ? sql`${key.expression} <= ${right} and (${behind})`
    : sql`${key.expression} >= ${right} and (${behind})`;
}

/** PostgreSQL sorts what is not set as the greatest. */
function beyond({ sql }: List, { field, expression, descending }: Sortable, right: Fragment | undefined) {
  if (right === undefined) return descending ? sql`${expression} is not null` : sql`false`;
  if (descending) return sql`${expression} < ${right}`;
  return isNullable(field)
    ? sql`(${expression} > ${right} or ${expression} is null)`
    : sql`${expression} > ${right}`;
}

const joined = ({ sql }: List, parts: readonly Fragment[], between: Fragment): Fragment =>
  parts.reduce((before, part) => sql`${before}${between}${part}`);

import { isTime, timeText } from '../rfc3339.ts';
import { badOrder, shown, badConstraint as wrong } from './errors.ts';
import { formatFilter } from './format.ts';
import { type ListQuery, type ListSpec, listQueryOf } from './list.ts';
import { type Comparison, type Filter, type FilterFields, fieldIn, limits, operatorsOf } from './model.ts';
import { formatOrder } from './order.ts';
import { type Literal, valueFor } from './values.ts';

/**
 * Lists as the storage of MLOps is asked for them (contracts/mlops.md §4): by constraints that all have to hold, and not in words. Messages are as
 * protobuf-es has them, enums by their names; what is asked becomes the same question that `readListQuery` makes of words.
 */
export interface ConstraintRequest {
  readonly pageToken?: string;
  readonly clauses?: readonly Clause[];
  readonly sorting?: readonly { readonly field: string; readonly order: string }[];
}

export interface Clause {
  readonly properties: readonly PropertyConstraint[];
  readonly tags: readonly { readonly tagId: string; readonly inclusion: string }[];
}

export interface PropertyConstraint {
  readonly field: string;
  readonly operator: string;
  /** One, but for a list. */
  readonly values: readonly ConstraintValue[];
}

/** The one-of of a value. */
export type ConstraintValue =
  | { readonly case: 'stringValue' | 'idValue' | 'jsonValue'; readonly value: string }
  | { readonly case: 'doubleValue'; readonly value: number }
  | { readonly case: 'int64Value'; readonly value: bigint }
  | { readonly case: 'boolValue'; readonly value: boolean }
  | {
      readonly case: 'timestampValue' | 'durationValue';
      readonly value: { readonly seconds: bigint; readonly nanos: number };
    }
  | { readonly case: undefined };

/** The field of the texts that tags are, in lists that have tags. */
export const tagField = 'tag';

/** Throws `invalid_filter`, `invalid_order` and `invalid_page_token` (400). The server chooses how many make a page. */
export function readConstraintQuery<Spec extends ListSpec>(
  spec: Spec,
  { pageToken = '', clauses = [], sorting = [] }: ConstraintRequest,
  ...scope: readonly string[]
): ListQuery<Spec> {
  const filter = filterOf(clauses, spec.fields);
  const orderBy = formatOrder(sorting.map((key) => sortKeyOf(key, spec.fields)));
  // A page token is good for the same constraints in any form that says the same.
  const bound = filter === undefined ? '' : formatFilter(filter, spec.fields);
  return listQueryOf(spec, { filter, orderBy, pageToken, pageSize: 0 }, bound, ...scope);
}

function filterOf(clauses: readonly Clause[], fields: FilterFields): Filter | undefined {
  const [clause, second] = clauses;
  if (second !== undefined) throw wrong('it has more than one clause.');
  if (clause === undefined) return undefined;
  const { properties, tags } = clause;
  const size = properties.reduce((sum, { values }) => sum + values.length, tags.length);
  if (size > limits.values) throw wrong(`it has more than ${limits.values} values.`);
  const terms = [
    ...properties.map((constraint) => termOf(constraint, fields)),
    ...tags.map((tag) => tagTermOf(tag, fields)),
  ];
  const [only, ...more] = terms;
  return more.length === 0 ? only : { kind: 'and', terms };
}

const comparisonOf: Readonly<Record<string, Comparison>> = {
  ...{ EQUAL_TO: '=', NOT_EQUAL_TO: '!=', LESS_THAN: '<', LESS_OR_EQUAL_TO: '<=' },
  ...{ GREATER_THAN: '>', GREATER_OR_EQUAL_TO: '>=', ICONTAINS: ':' },
};

function termOf({ field: name, operator, values }: PropertyConstraint, fields: FilterFields): Filter {
  const field = fieldIn(fields, name);
  if (field === undefined || field.type === 'texts') throw wrong(`there is no field "${shown(name)}".`);
  const valueIn = (given: ConstraintValue | undefined) => {
    const literal = given === undefined ? undefined : literalOf(given);
    if (literal === undefined) throw wrong(`${name} is compared with nothing that it could be.`);
    const value = valueFor(field, literal);
    if (typeof value === 'object') throw wrong(`${name} ${value.expected}`);
    return value;
  };
  if (operator === 'IN_LIST') return { kind: 'in', field: name, values: values.map(valueIn) };
  const known = Object.hasOwn(comparisonOf, operator) ? comparisonOf[operator] : undefined;
  if (known === undefined || !operatorsOf(field).includes(known))
    throw wrong(`${name} has no operator "${shown(operator)}".`);
  if (values.length > 1) throw wrong(`${name} is compared with several values, which takes IN_LIST.`);
  return { kind: 'compare', field: name, operator: known, value: valueIn(values[0]) };
}

function tagTermOf(
  { tagId, inclusion }: { readonly tagId: string; readonly inclusion: string },
  fields: FilterFields,
): Filter {
  const field = fieldIn(fields, tagField);
  if (field?.type !== 'texts') throw wrong('there are no tags in this list.');
  if (inclusion !== 'INCLUDE') throw wrong(`"${shown(inclusion)}" is not INCLUDE.`);
  const value = valueFor(field, { kind: 'quoted', text: tagId });
  if (typeof value === 'object') throw wrong(`${tagField} ${value.expected}`);
  return { kind: 'compare', field: tagField, operator: ':', value };
}

/** As it would be written. Undefined for what no field holds. */
function literalOf(given: ConstraintValue): Literal | undefined {
  switch (given.case) {
    case 'stringValue':
    case 'idValue':
      return { kind: 'quoted', text: given.value };
    case 'doubleValue':
    case 'int64Value':
      return { kind: 'number', text: String(given.value) };
    case 'boolValue':
      return { kind: 'word', text: String(given.value) };
    case 'timestampValue': {
      const [seconds, nanos] = [Number(given.value.seconds), given.value.nanos];
      return isTime(seconds, nanos) ? { kind: 'timestamp', text: timeText(seconds, nanos) } : undefined;
    }
    default:
      return undefined;
  }
}

const directions: Readonly<Record<string, boolean>> = { ASCENDING: false, DESCENDING: true };

function sortKeyOf(
  { field, order }: { readonly field: string; readonly order: string },
  fields: FilterFields,
) {
  if (fieldIn(fields, field) === undefined) throw badOrder(`there is no field "${shown(field)}".`);
  const descending = Object.hasOwn(directions, order) ? directions[order] : undefined;
  if (descending === undefined) throw badOrder(`"${shown(order)}" is neither ASCENDING nor DESCENDING.`);
  return { field, descending };
}

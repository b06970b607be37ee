import { createHash } from 'node:crypto';
import { invalid } from '../errors.ts';
import { badPageToken, largestPage, pageTokenOf, placeIn } from '../http/paging.ts';
import { type Filter, type FilterField, type FilterFields, fieldIn, type SortKey } from './model.ts';
import { parseOrder } from './order.ts';
import { parseFilter } from './parse.ts';
import { timestampOf } from './timestamp.ts';
import { isStorable } from './values.ts';

/** How a list of a service can be asked. */
export interface ListSpec {
  readonly fields: FilterFields;
  /** The field by which no two items are equal, such as `id`; one of the fields, and no list of texts. */
  readonly unique: string;
  /** As clients write `orderBy`; by `unique` when left out. */
  readonly usualOrder?: string;
}

/** What a client asks, as it sends it: protobuf leaves empty what is not set. */
export interface ListRequest {
  readonly filter?: string;
  readonly orderBy?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export interface ListQuery<Spec extends ListSpec = ListSpec> {
  readonly spec: Spec;
  readonly filter: Filter | undefined;
  /** Complete: its last key is unique. */
  readonly order: readonly SortKey[];
  /** The keys of the last item of the page before, as `keyOf` or the database wrote them; undefined on the first page. */
  readonly after: readonly (string | null)[] | undefined;
  readonly pageSize: number;
  /** What a page token of this list begins with, so that no other list and no other question takes it. */
  readonly binding: string;
}

const usualPage = 50;

/**
 * Reads what a client asks of a list. `scope` is what else decides what is in it (the parent, `showDeleted`): a page token is good for the same
 * filter, order and scope only. A page size of 0 is 50, and 1000 is the most that is given. Throws `invalid_filter`, `invalid_order`,
 * `invalid_page_token`, `invalid_request` (400).
 */
export function readListQuery<Spec extends ListSpec>(
  spec: Spec,
  request: ListRequest,
  ...scope: readonly string[]
): ListQuery<Spec> {
  const { filter = '', orderBy = '', pageSize = 0, pageToken = '' } = request;
  const asked = { filter: parseFilter(filter, spec.fields), orderBy, pageSize, pageToken };
  return listQueryOf(spec, asked, filter.trim(), ...scope);
}

/** The same of a filter that was read already. `said` is what it says in the one form that page tokens know it by. */
export function listQueryOf<Spec extends ListSpec>(
  spec: Spec,
  asked: Required<Omit<ListRequest, 'filter'>> & { readonly filter: Filter | undefined },
  said: string,
  ...scope: readonly string[]
): ListQuery<Spec> {
  const { filter, orderBy, pageSize, pageToken } = asked;
  const wanted = orderBy.trim() === '' ? (spec.usualOrder ?? '') : orderBy;
  const order = parseOrder(wanted, spec.fields, spec.unique);
  const binding = bindingOf([said, JSON.stringify(order), ...scope]);
  return {
    spec,
    filter,
    order,
    after: pageToken === '' ? undefined : readPlace(pageToken, binding, order, spec.fields),
    pageSize: sizeOf(pageSize),
    binding,
  };
}

function sizeOf(asked: number): number {
  if (asked < 0) throw invalid('invalid_request', 'pageSize is negative. Leave it out for the usual size.');
  return asked === 0 ? usualPage : Math.min(asked, largestPage);
}

const bindingOf = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);

function readPlace(token: string, binding: string, order: readonly SortKey[], fields: FilterFields) {
  const [bound, ...keys] = placeIn(token);
  if (typeof bound !== 'string' || keys.length !== order.length) throw badPageToken();
  if (bound !== binding)
    throw badPageToken('This pageToken belongs to another filter, order or parent. Start again without it.');
  return keys.map((key, at) => {
    const field = fieldIn(fields, order[at]?.field ?? '');
    if (field === undefined || !isKey(key, field)) throw badPageToken();
    return key;
  });
}

/** A key is the text of a value, of a text without upper case. */
function isKey(key: unknown, field: FilterField): key is string | null {
  if (key === null) return field.type !== 'texts' && field.nullable === true;
  if (typeof key !== 'string') return false;
  switch (field.type) {
    case 'integer':
      return /^-?\d{1,19}$/.test(key) && BigInt.asIntN(64, BigInt(key)) === BigInt(key);
    case 'number':
      return /^(?:-?\d[\d.]*(?:e[+-]?\d+)?|NaN|-?Infinity)$/.test(key);
    case 'boolean':
      return key === 'true' || key === 'false';
    case 'timestamp':
      return timestampOf(key) === key;
    default:
      return isStorable(key);
  }
}

/**
 * One page of what was found with one more than fits, and the token of the next one: `''` on the last page, which is what the usual emission rules
 * of `kit/grpc-gateway` expect. `keysOf` gives the keys of an item, in the order of `query.order`.
 */
export function cutList<T>(
  query: ListQuery,
  found: readonly T[],
  keysOf: (item: T) => readonly (string | null)[],
): { readonly items: readonly T[]; readonly nextPageToken: string } {
  const items = found.slice(0, query.pageSize);
  const last = found.length > query.pageSize ? items.at(-1) : undefined;
  return {
    items,
    nextPageToken: last === undefined ? '' : pageTokenOf(query.binding, ...keysOf(last)),
  };
}

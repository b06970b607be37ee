import { badOrder, shown } from './errors.ts';
import { type FilterFields, fieldIn, limits, type SortKey } from './model.ts';

/**
 * Reads `display_name, create_time desc`, and adds the field by which no two items are equal, so that every order is complete. Throws
 * `invalid_order`.
 */
export function parseOrder(source: string, fields: FilterFields, unique: string): readonly SortKey[] {
  const parts = source.trim() === '' ? [] : source.split(',', limits.sortKeys + 1);
  if (parts.length > limits.sortKeys) throw badOrder(`it has more than ${limits.sortKeys} fields.`);
  const keys = parts.map((part) => keyOf(part.trim(), fields));
  const twice = keys.find(({ field }, at) => keys.findIndex((key) => key.field === field) !== at);
  if (twice !== undefined) throw badOrder(`${twice.field} is given twice.`);
  if (keys.some(({ field }) => field === unique)) return keys;
  return [...keys, { field: unique, descending: keys.at(-1)?.descending ?? false }];
}

function keyOf(part: string, fields: FilterFields): SortKey {
  const [name = '', direction = 'asc', ...more] = part.split(/\s+/);
  const word = direction.toLowerCase();
  if (name === '' || more.length > 0 || (word !== 'asc' && word !== 'desc'))
    throw badOrder(`"${shown(part)}" is not a field, or a field and desc.`);
  const field = fieldIn(fields, name);
  if (field === undefined || field.type === 'texts') {
    const known = Object.keys(fields).filter((each) => fields[each]?.type !== 'texts');
    throw badOrder(`there is no field "${shown(name)}" to sort by. There is ${known.join(', ')}.`);
  }
  return { field: name, descending: word === 'desc' };
}

export const formatOrder = (keys: readonly SortKey[]): string =>
  keys.map(({ field, descending }) => (descending ? `${field} desc` : field)).join(', ');

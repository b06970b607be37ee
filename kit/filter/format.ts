import type { Filter, FilterField, FilterFields, FilterValue } from './model.ts';
import { fieldIn } from './model.ts';
import { quoted } from './quoted.ts';

/** A filter as text that reads back as the same filter. */
export const formatFilter = (filter: Filter, fields: FilterFields): string => write(filter, fields, 'or');

/** What stands around it, and so whether it needs parentheses. */
type Around = 'or' | 'and' | 'not';

function write(filter: Filter, fields: FilterFields, around: Around): string {
  switch (filter.kind) {
    case 'or': {
      const text = filter.terms.map((term) => write(term, fields, 'and')).join(' OR ');
      return around === 'or' ? text : `(${text})`;
    }
    case 'and': {
      const text = filter.terms.map((term) => write(term, fields, 'not')).join(' AND ');
      return around === 'not' ? `(${text})` : text;
    }
    case 'not':
      return `NOT ${write(filter.term, fields, 'not')}`;
    case 'compare': {
      const space = filter.operator === ':' ? '' : ' ';
      const value = writeValue(filter.value, fieldIn(fields, filter.field), 'value');
      return `${filter.field}${space}${filter.operator}${space}${value}`;
    }
    case 'in': {
      const field = fieldIn(fields, filter.field);
      return `${filter.field} in [${filter.values.map((value) => writeValue(value, field, 'list')).join(', ')}]`;
    }
  }
}

function writeValue(value: FilterValue, field: FilterField | undefined, place: 'value' | 'list'): string {
  if (typeof value !== 'string') return String(value);
  if (field?.type === 'enum' && place === 'value') return value;
  return field?.type === 'timestamp' ? `timestamp('${value}')` : quoted(value, place);
}

import { shown } from './errors.ts';
import type { FilterField, FilterValue } from './model.ts';
import { timestampOf } from './timestamp.ts';

/** As it is written, before it is known what it is for. */
export interface Literal {
  readonly kind: 'quoted' | 'number' | 'timestamp' | 'word';
  readonly text: string;
}

interface Unfit {
  /** Continues a sentence that begins with the name of the field. */
  readonly expected: string;
}

/** A literal as a value of a field, or what the field expects instead. */
export function valueFor(field: FilterField, literal: Literal): FilterValue | Unfit {
  const { kind, text } = literal;
  const unfit = (what: string) => ({ expected: `is compared with ${what}, not "${shown(text)}".` });
  switch (field.type) {
    case 'text':
    case 'texts':
      if (kind !== 'quoted') return unfit("a text in quotes, such as 'x'");
      return isStorable(text) ? text : unfit('a text without NUL and half characters');
    case 'enum':
      return (kind === 'quoted' || kind === 'word') && field.values.includes(text)
        ? text
        : unfit(`one of ${field.values.join(', ')}`);
    case 'boolean':
      return kind === 'word' && /^(?:true|false)$/i.test(text)
        ? text.toLowerCase() === 'true'
        : unfit('true or false');
    case 'integer':
      return integerOf(literal) ?? unfit('a whole number of 64 bits');
    case 'number':
      return kind === 'number' && Number.isFinite(Number(text)) ? Number(text) + 0 : unfit('a number');
    case 'timestamp': {
      const time = kind === 'quoted' || kind === 'timestamp' ? timestampOf(text) : undefined;
      return time ?? unfit("a time such as timestamp('2026-01-31T12:00:00Z')");
    }
  }
}

/** PostgreSQL keeps no NUL, and UTF-8 no half of a pair. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

const largest = 2n ** 63n - 1n;

function integerOf({ kind, text }: Literal): bigint | undefined {
  if (kind !== 'number' || !/^[+-]?\d{1,19}$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  return value <= largest && value >= -largest - 1n ? value : undefined;
}

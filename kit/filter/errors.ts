import { type HaicError, invalid } from '../errors.ts';

/** `at` counts characters from 1, as people do. */
export const badFilter = (at: number, why: string): HaicError =>
  invalid('invalid_filter', `The filter is wrong at character ${at + 1}: ${why}`);

export const badOrder = (why: string): HaicError => invalid('invalid_order', `orderBy is wrong: ${why}`);

/** Of a filter that has no characters to count. */
export const badConstraint = (why: string): HaicError =>
  invalid('invalid_filter', `The filter is wrong: ${why}`);

/** For messages: what a stranger wrote, as far as it helps. */
export const shown = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

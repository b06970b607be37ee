import { driveError } from './errors.ts';

/** RFC 9110 §14.1.2: from a byte, from one to another, or so many of the end. */
export type WantedRange =
  | { readonly start: number; readonly end: number | undefined }
  | { readonly last: number };

/** Undefined for none, and for what a server passes over: other units, several ranges, what is no range. */
export function readRange(header: string | undefined): WantedRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') return { last: Number(last) };
  const end = last === '' ? undefined : Number(last);
  if (end !== undefined && end < Number(first)) return undefined;
  return { start: Number(first), end };
}

/** Both ends inclusive and inside; throws `InvalidRange` when nothing of it is there. */
export function rangeIn(wanted: WantedRange, size: number): { start: number; end: number } {
  const start = 'last' in wanted ? Math.max(size - wanted.last, 0) : wanted.start;
  const end = 'last' in wanted ? size - 1 : Math.min(wanted.end ?? size - 1, size - 1);
  if (start >= size || ('last' in wanted && wanted.last === 0))
    throw driveError('InvalidRange', `The object has ${size} bytes; none of the range is in it.`);
  return { start, end };
}

import { invalid } from '@haic/kit/errors.ts';
import { largestPage, pageTokenOf } from '@haic/kit/http/paging.ts';

const usualPage = 50;

/** None, or 0, is as many as usual, and what is more than the most is the most. */
export function pageSizeOf(wanted: number): number {
  if (wanted < 0) throw invalid('invalid_request', 'pageSize is negative. Leave it out for the usual size.');
  return wanted === 0 ? usualPage : Math.min(wanted, largestPage);
}

/** One page of what identity found, asked for with one more than fits, and the token of the next: `''` for none. */
export function cut<T>(found: readonly T[], pageSize: number, placeOf: (last: T) => readonly string[]) {
  const page = found.slice(0, pageSize);
  const last = found.length > pageSize ? page.at(-1) : undefined;
  return { page, nextPageToken: last === undefined ? '' : pageTokenOf(...placeOf(last)) };
}

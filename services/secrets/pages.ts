import { invalid } from '@haic/kit/errors.ts';
import { largestPage, placeAfter } from '@haic/kit/http/paging.ts';

export interface Page {
  /** 0 for 50; at most 1000 are given. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

/** Ids as a list is sorted by them; those of apps' secrets have dots. */
export const anyId = /^[a-z0-9][a-z0-9.-]{0,252}$/;

const usualPage = 50;

/** How many, and behind which one. Throws 400 for what is no page of that list. */
export function placeOf(
  { pageSize, pageToken }: Page,
  form: RegExp,
): { limit: number; after: string | undefined } {
  if (pageSize < 0) throw invalid('invalid_request', 'pageSize is a number of items; it cannot be negative.');
  const limit = pageSize === 0 ? usualPage : Math.min(pageSize, largestPage);
  return { limit, after: placeAfter(pageToken, form)?.[0] };
}

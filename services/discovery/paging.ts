import { invalid } from '@haic/kit/errors.ts';

/** More records than any installation has, so that clients that never ask for a size need one request. */
const defaultPageSize = 1000;

/** Records do not change while the process runs, so a page token is the position of the next record. */
export function pageOf<T>(
  records: readonly T[],
  query: { pageSize?: number | undefined; pageToken?: string | undefined },
): { items: readonly T[]; nextPageToken: string | undefined } {
  const start = query.pageToken === undefined ? 0 : positionOf(query.pageToken);
  const size = query.pageSize === undefined || query.pageSize === 0 ? defaultPageSize : query.pageSize;
  const end = start + Math.min(size, defaultPageSize);
  return { items: records.slice(start, end), nextPageToken: end < records.length ? tokenOf(end) : undefined };
}

const tokenOf = (position: number) => Buffer.from(`p${position}`).toString('base64url');

function positionOf(token: string): number {
  const match = /^p(\d{1,6})$/.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) throw invalid('invalid_page_token', 'This pageToken was not given out by this list.');
  return Number(match[1]);
}

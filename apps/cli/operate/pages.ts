import type { Operator } from '../installation/operator.ts';

/** All items of a list that the API gives in pages. */
export async function allPages<T>(operator: Operator, path: string): Promise<readonly T[]> {
  const items: T[] = [];
  let pageToken: string | undefined;
  do {
    const query = pageToken === undefined ? '' : `&pageToken=${encodeURIComponent(pageToken)}`;
    const page = await operator.call<{ items: readonly T[]; nextPageToken?: string }>(
      'GET',
      `${path}?pageSize=200${query}`,
    );
    items.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return items;
}

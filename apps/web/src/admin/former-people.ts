import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { call, queryString } from '../api/http.ts';
import type { Page } from '../api/types.ts';
import { bytes, count } from '../drive/format.ts';
import { outcomeOf, problemOf } from '../drive/operations.ts';
import type { DriveOperation, DriveUsage } from '../drive/types.ts';

/** Somebody who was removed, and whose bucket is kept until `purgeAt`. */
export interface FormerPerson {
  readonly subject: string;
  /** Empty when it is not known. */
  readonly username: string;
  readonly endedAt: string;
  readonly purgeAt: string;
  readonly usage: DriveUsage;
  readonly trash: DriveUsage;
  /** The last hand-over or purge. */
  readonly operation: DriveOperation | null;
}

const api = '/api/v1/drive/former-people';
const key = ['former-people'];
const pageSize = 50;

export const useFormerPeople = (query: string) =>
  useInfiniteQuery({
    queryKey: [...key, query],
    queryFn: ({ pageParam, signal }) =>
      call<Page<FormerPerson>>(`${api}${queryString({ query, pageSize, pageToken: pageParam })}`, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some((one) => one.operation?.state === 'RUNNING')) === true
        ? 2000
        : false,
  });

export const useHandOverDrive = (subject: string) => {
  const { look, post } = useDeeds(subject);
  return useMutation({ mutationFn: (body: { to: string }) => post('hand-over', { body }), onError: look });
};

export const usePurgeDrive = (subject: string) => {
  const { look, post } = useDeeds(subject);
  return useMutation({ mutationFn: () => post('purge'), onError: look });
};

/** `post` resolves when all of it is done, which may take longer than somebody looks on. */
function useDeeds(subject: string) {
  const client = useQueryClient();
  const look = () => void client.invalidateQueries({ queryKey: key });
  const post = async (deed: string, options: { body?: object } = {}): Promise<DriveOperation> => {
    const path = `${api}/${encodeURIComponent(subject)}/${deed}`;
    const begun = await call<DriveOperation>(path, { method: 'POST', ...options });
    if (begun.state === 'RUNNING') look();
    return outcomeOf(client, begun, look);
  };
  return { look, post };
}

export const nameOf = ({ username, subject }: FormerPerson): string => username || subject;

/** "3 objects (1.2 kB)", or '' for nothing. */
export const inWords = ({ bytes: size, objects }: DriveUsage): string =>
  objects === 0 && size === 0
    ? ''
    : `${count(objects)} ${objects === 1 ? 'object' : 'objects'} (${bytes(size)})`;

export const trashInWords = ({ trash }: FormerPerson): string =>
  inWords(trash) === '' ? '' : `${inWords(trash)} in the trash`;

/** How far what was begun is, or what kept it from being done; undefined when there is nothing to tell. */
export function operationInWords({ operation }: FormerPerson): { text: string; isBad: boolean } | undefined {
  if (operation === null || operation.state === 'SUCCEEDED') return undefined;
  const isPurge = operation.kind === 'DELETE';
  const { done, failed, total } = operation;
  if (operation.state === 'RUNNING') {
    const far = total === null ? '' : `: ${count(done + failed)} of ${count(total)}`;
    return { text: `${isPurge ? 'Being purged' : 'Being handed over'}${far}`, isBad: false };
  }
  const notDone = isPurge ? 'Not all was purged' : 'Not all was handed over';
  if (operation.state === 'CANCELLED') return { text: `${notDone}: it was cancelled.`, isBad: false };
  return { text: `${notDone}. ${problemOf(operation).message}`, isBad: true };
}

const dayMs = 86_400_000;

/** "in 12 days"; the platform removes it once a day. */
export function timeUntil(iso: string, now: number): string {
  const days = Math.floor((Date.parse(iso) - now) / dayMs);
  if (days < 1) return 'within a day';
  return `in ${days} ${days === 1 ? 'day' : 'days'}`;
}

import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { call, queryString } from '../api/http.ts';
import type { Page } from '../api/types.ts';
import { bytes, count } from '../drive/format.ts';
import { outcomeOf } from '../drive/operations.ts';
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
    return outcomeOf(client, await call<DriveOperation>(path, { method: 'POST', ...options }), look);
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

const dayMs = 86_400_000;

/** "in 12 days"; the platform removes it once a day. */
export function timeUntil(iso: string, now: number): string {
  const days = Math.floor((Date.parse(iso) - now) / dayMs);
  if (days < 1) return 'within a day';
  return `in ${days} ${days === 1 ? 'day' : 'days'}`;
}

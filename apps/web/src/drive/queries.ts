import { keepPreviousData, type QueryClient, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { call, queryString } from '../api/http.ts';
import type { Page } from '../api/types.ts';
import type {
  DriveAbout,
  DriveAddress,
  DriveBucket,
  DriveEntry,
  DriveObject,
  OpenUpload,
  SharedLink,
  TrashEntry,
} from './types.ts';

const api = '/api/v1/drive';
const entriesPerPage = 500;

export const bucketAddress = (bucket: string): string => `${api}/buckets/${encodeURIComponent(bucket)}`;

/** What is in the bucket may have changed: the open folder, how much there is, the trash. */
export const lookAgain = (client: QueryClient, bucket: string): void => {
  for (const what of ['entries', 'bucket', 'trash', 'uploads'])
    void client.invalidateQueries({ queryKey: ['drive', what, bucket] });
  void client.invalidateQueries({ queryKey: ['drive', 'buckets'] });
};

export const useDrive = () =>
  useQuery({
    queryKey: ['drive', 'about'],
    queryFn: ({ signal }) => call<DriveAbout>(api, { signal }),
    staleTime: 300_000,
  });

/** The first hundred: who is in more workspaces comes to the others by the workspace's own page. */
export const useBuckets = () =>
  useQuery({
    queryKey: ['drive', 'buckets'],
    queryFn: ({ signal }) =>
      call<Page<DriveBucket>>(`${api}/buckets${queryString({ pageSize: 100 })}`, { signal }),
  });

export const useBucket = (bucket: string) =>
  useQuery({
    queryKey: ['drive', 'bucket', bucket],
    queryFn: ({ signal }) => call<DriveBucket>(bucketAddress(bucket), { signal }),
    placeholderData: keepPreviousData,
  });

export const useEntries = (bucket: string, folder: string, query: string) =>
  useInfiniteQuery({
    queryKey: ['drive', 'entries', bucket, folder, query],
    queryFn: ({ pageParam, signal }) =>
      call<Page<DriveEntry>>(
        `${bucketAddress(bucket)}/entries${queryString({
          ...{ prefix: folder, query, pageSize: entriesPerPage, pageToken: pageParam },
        })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchOnWindowFocus: false,
  });

/** Folders alone, for who chooses where something goes. */
export const useFolders = (bucket: string, folder: string) =>
  useQuery({
    queryKey: ['drive', 'entries', bucket, folder, 'folders'],
    queryFn: async ({ signal }) => {
      const address = `${bucketAddress(bucket)}/entries${queryString({ prefix: folder, pageSize: 1000 })}`;
      const page = await call<Page<DriveEntry>>(address, { signal });
      return page.items.filter(({ kind }) => kind === 'FOLDER');
    },
  });

export const useTrash = (bucket: string) =>
  useInfiniteQuery({
    queryKey: ['drive', 'trash', bucket],
    queryFn: ({ pageParam, signal }) =>
      call<Page<TrashEntry>>(
        `${bucketAddress(bucket)}/trash${queryString({ pageSize: 50, pageToken: pageParam })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });

export const useOpenUploads = (bucket: string, enabled: boolean) =>
  useQuery({
    queryKey: ['drive', 'uploads', bucket],
    queryFn: ({ signal }) => call<Page<OpenUpload>>(`${bucketAddress(bucket)}/uploads`, { signal }),
    enabled,
  });

export const addressOf = (
  bucket: string,
  key: string,
  disposition: 'ATTACHMENT' | 'INLINE',
  signal?: AbortSignal,
): Promise<DriveObject> =>
  call<DriveObject>(`${bucketAddress(bucket)}/address${queryString({ key, disposition })}`, {
    ...(signal === undefined ? {} : { signal }),
  });

export const share = (bucket: string, key: string, expiresInSeconds: number): Promise<DriveAddress> =>
  call<DriveAddress>(`${bucketAddress(bucket)}/shares`, { method: 'POST', body: { key, expiresInSeconds } });

export const useShares = (bucket: string) =>
  useInfiniteQuery({
    queryKey: ['drive', 'shares', bucket],
    queryFn: ({ pageParam, signal }) =>
      call<Page<SharedLink>>(
        `${bucketAddress(bucket)}/shares${queryString({ pageSize: 50, pageToken: pageParam })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    staleTime: 0,
  });

export const endShare = (bucket: string, id: string): Promise<void> =>
  call<void>(`${bucketAddress(bucket)}/shares/${encodeURIComponent(id)}`, { method: 'DELETE' });

export const makeFolder = (bucket: string, key: string): Promise<DriveEntry> =>
  call<DriveEntry>(`${bucketAddress(bucket)}/folders`, { method: 'POST', body: { key } });

export const abortUpload = (bucket: string, upload: { key: string; uploadId: string }): Promise<void> =>
  call<void>(
    `${bucketAddress(bucket)}/uploads/${encodeURIComponent(upload.uploadId)}${queryString({ key: upload.key })}`,
    { method: 'DELETE' },
  );

import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { call, queryString } from '../api/http.ts';
import type { App, Instance, InstanceStatus, Page, Visibility } from '../api/types.ts';

/** Apps and instances as administrators see them: everybody's. */
const pageSize = 50;

export interface AppUsage {
  readonly appId: string;
  readonly instances: number;
  readonly running: number;
  readonly lastStartedAt: string | null;
}

export const useAllApps = (filter: { query: string; owner: string; visibility: Visibility | '' }) =>
  useInfiniteQuery({
    queryKey: ['apps', 'all', filter],
    queryFn: ({ pageParam, signal }) =>
      call<Page<App>>(
        `/api/v1/apps${queryString({
          ...given(filter),
          all: true,
          versions: 'all',
          pageSize,
          pageToken: pageParam,
        })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

/** How much the apps are used now. */
export const useAppUsage = (appIds: readonly string[]) =>
  useQuery({
    queryKey: ['instances', 'usage', appIds],
    queryFn: async ({ signal }) => {
      const { items } = await call<{ items: readonly AppUsage[] }>(
        `/api/v1/app-usage${queryString({ appIds: appIds.join(',') })}`,
        { signal },
      );
      return new Map(items.map((usage) => [usage.appId, usage]));
    },
    enabled: appIds.length > 0,
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  });

export interface InstancesFilter {
  readonly query: string;
  readonly owner: string;
  readonly appId: string;
  readonly status: InstanceStatus | '';
}

export const useAllInstances = (filter: InstancesFilter) =>
  useInfiniteQuery({
    queryKey: ['instances', 'all', filter],
    queryFn: ({ pageParam, signal }) =>
      call<Page<Instance>>(
        `/api/v1/instances${queryString({ ...given(filter), all: true, pageSize, pageToken: pageParam })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 3000,
  });

/** PATCH with an owner: of an app, or of a paused instance whose owner cannot sign in. */
export const useGive = (kind: 'apps' | 'instances', id: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (owner: string) =>
      call<unknown>(`/api/v1/${kind}/${encodeURIComponent(id)}`, { method: 'PATCH', body: { owner } }),
    onSettled: () => {
      for (const key of ['apps', 'app', 'instances', 'instance', 'belongings'])
        void client.invalidateQueries({ queryKey: [key] });
    },
  });
};

/** An empty filter is none. */
const given = <T extends object>(filter: T): Partial<T> =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== '')) as Partial<T>;

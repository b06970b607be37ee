import {
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useRef } from 'react';
import { call, queryString, readSession } from './http.ts';
import type { App, Instance, Me, Page, Visibility } from './types.ts';

const appsPageSize = 24;
const instancesPageSize = 25;

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => readSession(signal),
  staleTime: 60_000,
  refetchOnWindowFocus: 'always',
});

export const useMe = () =>
  useQuery({
    queryKey: ['me'],
    queryFn: ({ signal }) => call<Me>('/api/v1/me', { signal }),
    staleTime: 300_000,
    // What is wrong just now passes.
    refetchInterval: ({ state }) => (state.data?.isolation.trouble === undefined ? false : 5_000),
  });

/** `mine`: what one has imported, each version by itself. */
export const useApps = (filter: { query: string; tag?: string | undefined; mine?: boolean }) =>
  useInfiniteQuery({
    queryKey: ['apps', filter],
    queryFn: ({ pageParam, signal }) =>
      call<Page<App>>(
        `/api/v1/apps${queryString({
          query: filter.query,
          tag: filter.tag,
          ...(filter.mine === true ? { mine: true, versions: 'all' } : {}),
          pageSize: appsPageSize,
          pageToken: pageParam,
        })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

export const useApp = (id: string) =>
  useQuery({
    queryKey: ['app', id],
    queryFn: ({ signal }) => call<App>(`/api/v1/apps/${encodeURIComponent(id)}`, { signal }),
  });

/** Instances, kept fresh while somebody looks: a change of one is at most three seconds old. */
export const useInstances = (filter: { query?: string; appId?: string; all?: boolean }, enabled = true) =>
  useInfiniteQuery({
    queryKey: ['instances', filter],
    queryFn: ({ pageParam, signal }) =>
      call<Page<Instance>>(
        `/api/v1/instances${queryString({
          query: filter.query,
          appId: filter.appId,
          all: filter.all === true ? true : undefined,
          pageSize: instancesPageSize,
          pageToken: pageParam,
        })}`,
        { signal },
      ),
    enabled,
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 3000,
  });

export const instanceKey = (id: string) => ['instance', id] as const;

export const useInstance = (id: string) =>
  useQuery({
    queryKey: instanceKey(id),
    queryFn: ({ signal }) => call<Instance>(`/api/v1/instances/${encodeURIComponent(id)}`, { signal }),
    // Events keep it fresh (use-live-instance.ts); this is for the first look and for a return to the tab.
    staleTime: 5000,
  });

/** The same for who presses the button again because no answer came: what was started already is not started twice. */
function keyOf(keys: Map<string, string>, request: object): string {
  const text = JSON.stringify(request);
  const key = keys.get(text) ?? crypto.randomUUID();
  keys.set(text, key);
  return key;
}

export const useRunApp = () => {
  const client = useQueryClient();
  const keys = useRef(new Map<string, string>());
  return useMutation({
    mutationFn: (run: { appId: string; visibility: Visibility }) =>
      call<Instance>(`/api/v1/apps/${encodeURIComponent(run.appId)}/instances`, {
        method: 'POST',
        body: { visibility: run.visibility },
        headers: { 'idempotency-key': keyOf(keys.current, run) },
      }),
    onSuccess: (instance) => {
      keys.current.clear();
      client.setQueryData(instanceKey(instance.id), instance);
      void client.invalidateQueries({ queryKey: ['instances'] });
    },
  });
};

export const useSetAppVisibility = (id: string) => {
  const client = useQueryClient();
  const key = ['app', id];
  return useMutation({
    mutationFn: (visibility: Visibility) =>
      call<App>(`/api/v1/apps/${encodeURIComponent(id)}`, { method: 'PATCH', body: { visibility } }),
    onMutate: (visibility) => changed<App>(client, key, { visibility }),
    onError: (_error, _visibility, before) => client.setQueryData(key, before),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: key });
      void client.invalidateQueries({ queryKey: ['apps'] });
    },
  });
};

/** Another owner decides from then on; who gave it away may not even see it any more. */
export const useHandOverApp = (id: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (owner: string) =>
      call<App>(`/api/v1/apps/${encodeURIComponent(id)}`, { method: 'PATCH', body: { owner } }),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['app', id] });
      void client.invalidateQueries({ queryKey: ['apps'] });
    },
  });
};

/** Looks again whether the app can run, at every byte of its bundle. */
export const useCheckApp = (id: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call<App>(`/api/v1/apps/${encodeURIComponent(id)}/preconditions`, { method: 'POST' }),
    onSuccess: (app) => client.setQueryData(['app', id], app),
    onSettled: () => client.invalidateQueries({ queryKey: ['apps'] }),
  });
};

export const useDeleteApp = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => call<void>(`/api/v1/apps/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['apps'] }),
  });
};

/** Seen at once. What came of it the instance's own page learns from its events, as with `useInstanceAction`. */
export const useSetInstanceVisibility = (id: string) => {
  const client = useQueryClient();
  const show = (visibility: Visibility) =>
    client.setQueryData<Instance>(instanceKey(id), (now) =>
      now === undefined ? undefined : { ...now, visibility },
    );
  return useMutation({
    mutationFn: (visibility: Visibility) =>
      call<Instance>(`/api/v1/instances/${encodeURIComponent(id)}`, {
        method: 'PATCH',
        body: { visibility },
      }),
    onMutate: async (visibility) => {
      await client.cancelQueries({ queryKey: instanceKey(id) });
      const before = client.getQueryData<Instance>(instanceKey(id))?.visibility;
      show(visibility);
      return before;
    },
    // The visibility alone: events may have changed the rest meanwhile.
    onError: (_error, _visibility, before) => {
      if (before !== undefined) show(before);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['instances'] }),
  });
};

/**
 * Pause, resume, put off the pause. The instance's own page learns what came of it from its events alone: an answer, or a look that
 * it causes, may arrive behind a later event and would then be shown for good.
 */
export const useInstanceAction = (action: 'suspend' | 'resume' | 'extend') => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      call<Instance>(`/api/v1/instances/${encodeURIComponent(id)}/${action}`, { method: 'POST' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['instances'] }),
  });
};

export const useSetSuspendAfter = (id: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (suspendAfter: number | 'never') =>
      call<Instance>(`/api/v1/instances/${encodeURIComponent(id)}`, {
        method: 'PATCH',
        body: { suspendAfter },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ['instances'] }),
  });
};

export const useTerminate = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      call<void>(`/api/v1/instances/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onMutate: (id) =>
      changed<Instance>(client, instanceKey(id), {
        status: 'TERMINATING',
        reason: '',
        message: 'The instance is being stopped and removed.',
        since: new Date().toISOString(),
      }),
    onError: (_error, id, before) => client.setQueryData(instanceKey(id), before),
    onSettled: () => client.invalidateQueries({ queryKey: ['instances'] }),
  });
};

/** Shows a change at once; gives back what was there, for the way back. */
async function changed<T>(
  client: QueryClient,
  key: readonly unknown[],
  change: Partial<T>,
): Promise<T | undefined> {
  await client.cancelQueries({ queryKey: key });
  const before = client.getQueryData<T>(key);
  if (before !== undefined) client.setQueryData(key, { ...before, ...change });
  return before;
}

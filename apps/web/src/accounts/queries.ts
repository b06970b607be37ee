import {
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useState } from 'react';
import { call, queryString } from '../api/http.ts';
import type { Page } from '../api/types.ts';

export type AccountState = 'NOT_CONNECTED' | 'CONNECTED' | 'LOGIN_REQUIRED';

/** An account of one's own at another provider. No token is in it. */
export interface Account {
  readonly client: { readonly id: string; readonly displayName: string };
  readonly id: string;
  readonly state: AccountState;
  readonly loginPrincipal: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly connectedAt: string | null;
  readonly endsAt: string | null;
  readonly lastUsedAt: string | null;
  readonly problem: { readonly message: string; readonly at: string } | null;
}

export interface AccountPlace {
  readonly client: Pick<Account['client'], 'id'>;
  readonly id: string;
}

const path = '/api/v1/connected-accounts';
const pathOf = ({ client, id }: AccountPlace, verb = ''): string =>
  `${path}/${encodeURIComponent(client.id)}/${encodeURIComponent(id)}${verb}`;

export const titleOf = ({ client }: Pick<Account, 'client'>): string => client.displayName || client.id;

const lookAgain = (client: QueryClient): void =>
  void client.invalidateQueries({ queryKey: ['connected-accounts'] });

export const useAccounts = () =>
  useInfiniteQuery({
    queryKey: ['connected-accounts', 'list'],
    queryFn: ({ pageParam, signal }) =>
      call<Page<Account>>(`${path}${queryString({ pageSize: 50, pageToken: pageParam })}`, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

/** How many of one's accounts were connected and have to be logged in at again. */
export const useLoginsNeeded = () =>
  useQuery({
    queryKey: ['connected-accounts', 'logins needed'],
    queryFn: async ({ signal }) =>
      (await call<Page<Account>>(`${path}${queryString({ pageSize: 100 })}`, { signal })).items.filter(
        ({ state }) => state === 'LOGIN_REQUIRED',
      ).length,
    staleTime: 60_000,
    refetchInterval: 300_000,
  });

/** Asked anew each time: somebody has just come back from its provider. */
export const useAccount = (place: AccountPlace) =>
  useQuery({
    queryKey: ['connected-accounts', 'one', place.client.id, place.id],
    queryFn: ({ signal }) => call<Account>(pathOf(place), { signal }),
    staleTime: 0,
  });

/** One that is to be connected: its login follows. */
export const useCreateAccount = () => {
  const client = useQueryClient();
  const [key] = useState(() => crypto.randomUUID());
  return useMutation({
    mutationFn: (body: { client: string; id: string }) =>
      call<Account>(path, {
        ...{ method: 'POST', body },
        headers: { 'idempotency-key': `${key}-${body.client}-${body.id}` },
      }),
    onSuccess: () => lookAgain(client),
  });
};

/** Sends this browser to the provider, which sends it back to the page of connected accounts. */
export const useLogIn = () =>
  useMutation({
    mutationFn: async (place: AccountPlace) => {
      const { url } = await call<{ url: string }>(pathOf(place, '/login'), { method: 'POST' });
      window.location.assign(url);
    },
  });

export const useDisconnect = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (place: AccountPlace) => call<void>(pathOf(place), { method: 'DELETE' }),
    onSuccess: () => lookAgain(client),
  });
};

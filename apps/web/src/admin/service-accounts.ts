import {
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { call, queryString } from '../api/http.ts';
import type { Page } from '../api/types.ts';

export interface ServiceAccount {
  readonly id: string;
  readonly name: string;
  readonly clientId: string;
  readonly description: string;
  /** User name of who answers for it; null when that person is gone. */
  readonly owner: string | null;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly state: 'ACTIVE' | 'DISABLED' | 'EXPIRED' | 'OWNER_UNAVAILABLE';
  readonly disabled: boolean;
  readonly expiresAt: string | null;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly secretCreatedAt: string | null;
  /** Until then the secret before the last one is still good. */
  readonly earlierSecretEndsAt: string | null;
}

export const stateNames: Readonly<Record<ServiceAccount['state'], string>> = {
  ACTIVE: 'Active',
  DISABLED: 'Disabled',
  EXPIRED: 'Expired',
  OWNER_UNAVAILABLE: 'Without an owner',
};

export interface NewServiceAccount {
  readonly name: string;
  readonly description: string;
  readonly owner: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly expiresAt?: string;
}

export interface WithSecret {
  readonly account: ServiceAccount;
  readonly secret: string;
}

const path = '/api/v1/service-accounts';
const pathOf = (name: string): string => `${path}/${encodeURIComponent(name)}`;
const pageSize = 50;
/** The answer holds a secret: forgotten as soon as nobody shows it. */
const secretKept = 0;
const lookAgain = (client: QueryClient) => void client.invalidateQueries({ queryKey: ['service-accounts'] });

export interface AccountsFilter {
  readonly query: string;
  readonly role?: string;
  readonly group?: string;
}

export const useServiceAccounts = (filter: AccountsFilter) =>
  useInfiniteQuery({
    queryKey: ['service-accounts', filter],
    queryFn: ({ pageParam, signal }) =>
      call<Page<ServiceAccount>>(`${path}${queryString({ ...filter, pageSize, pageToken: pageParam })}`, {
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

export const useAddServiceAccount = () => {
  const client = useQueryClient();
  return useMutation({
    gcTime: secretKept,
    mutationFn: (body: NewServiceAccount) => call<WithSecret>(path, { method: 'POST', body }),
    onSuccess: () => lookAgain(client),
  });
};

export const useRotateSecret = (name: string) => {
  const client = useQueryClient();
  return useMutation({
    gcTime: secretKept,
    mutationFn: (overlapHours: number) =>
      call<WithSecret>(`${pathOf(name)}/secret`, { method: 'POST', body: { overlapHours } }),
    onSuccess: () => lookAgain(client),
  });
};

export const useSetAccountDisabled = (name: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (disabled: boolean) =>
      call<ServiceAccount>(pathOf(name), { method: 'PATCH', body: { disabled } }),
    onSuccess: () => lookAgain(client),
  });
};

export const useRemoveServiceAccount = (name: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call<void>(pathOf(name), { method: 'DELETE' }),
    onSuccess: () => lookAgain(client),
  });
};

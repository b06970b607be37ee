import {
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { useState } from 'react';
import { call, queryString } from '../api/http.ts';
import type { Page } from '../api/types.ts';

/** What Haic is at another provider. Its secret is never here. */
export interface OAuthClient {
  readonly id: string;
  readonly displayName: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly hasSecret: boolean;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly extraScopes: readonly string[];
  readonly refreshDisabled: boolean;
  readonly oidcDisabled: boolean;
  readonly loginPrincipalClaim: string;
  readonly callbackUri: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string | null;
  readonly updatedBy: string | null;
}

export type ClientChanges = Pick<
  OAuthClient,
  'displayName' | 'extraScopes' | 'refreshDisabled' | 'loginPrincipalClaim'
>;
export type NewClient = ClientChanges &
  Pick<OAuthClient, 'issuer' | 'clientId' | 'authorizationEndpoint' | 'tokenEndpoint' | 'oidcDisabled'> & {
    /** Made up when left out. */
    readonly id?: string;
    readonly clientSecret: string;
  };

export interface ClientPerson {
  readonly subject: string;
  readonly username: string;
  readonly accounts: number;
}

const path = '/api/v1/oauth-clients';
const pathOf = ({ id }: Pick<OAuthClient, 'id'>, more = ''): string =>
  `${path}/${encodeURIComponent(id)}${more}`;

export const titleOfClient = ({ displayName, id }: Pick<OAuthClient, 'displayName' | 'id'>): string =>
  displayName || id;

const lookAgain = (client: QueryClient): void => {
  for (const key of ['oauth-clients', 'connected-accounts'])
    void client.invalidateQueries({ queryKey: [key] });
};

export const useClients = (query: string) =>
  useInfiniteQuery({
    queryKey: ['oauth-clients', 'list', query],
    queryFn: ({ pageParam, signal }) =>
      call<Page<OAuthClient>>(`${path}${queryString({ query, pageSize: 50, pageToken: pageParam })}`, {
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

/** Whom its end would concern: asked anew each time, since somebody decides by it. */
export const useClientPeople = (client: OAuthClient) =>
  useInfiniteQuery({
    queryKey: ['oauth-clients', 'people', client.id],
    queryFn: ({ pageParam, signal }) =>
      call<Page<ClientPerson> & { readonly total: number }>(
        pathOf(client, `/people${queryString({ pageSize: 20, pageToken: pageParam })}`),
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    staleTime: 0,
  });

/** With a secret in it, so nothing of it is kept. */
export const useCreateClient = () => {
  const client = useQueryClient();
  const [key] = useState(() => crypto.randomUUID());
  return useMutation({
    gcTime: 0,
    mutationFn: (body: NewClient) =>
      call<OAuthClient>(path, {
        ...{ method: 'POST', body },
        headers: { 'idempotency-key': `${key}-${body.id ?? ''}` },
      }),
    onSuccess: () => lookAgain(client),
  });
};

export const useChangeClient = (changed: OAuthClient) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ClientChanges) => call<OAuthClient>(pathOf(changed), { method: 'PATCH', body }),
    onSuccess: () => lookAgain(client),
  });
};

export const useReplaceClientSecret = (changed: OAuthClient) => {
  const client = useQueryClient();
  return useMutation({
    gcTime: 0,
    mutationFn: (clientSecret: string) =>
      call<OAuthClient>(pathOf(changed, '/secret'), { method: 'PUT', body: { clientSecret } }),
    onSuccess: () => lookAgain(client),
  });
};

export const useDeleteClient = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (removed: OAuthClient) => call<void>(pathOf(removed), { method: 'DELETE' }),
    onSuccess: () => lookAgain(client),
  });
};

import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { call, queryString } from '../api/http.ts';
import type { Page } from '../api/types.ts';
import { look } from './queries.ts';

export interface Group {
  readonly id: string;
  readonly name: string;
  /** People. */
  readonly members: number;
  readonly serviceAccounts: number;
  readonly createdAt: string;
}

export interface Role {
  readonly name: string;
  /** What the platform lets whoever has it do; empty for a role that only apps know. */
  readonly description: string;
  /** People. */
  readonly members: number;
  readonly serviceAccounts: number;
}

/** People and machines. */
export const sizeOf = ({ members, serviceAccounts }: Pick<Group, 'members' | 'serviceAccounts'>): number =>
  members + serviceAccounts;

const pageSize = 50;
const groupPath = (id: string): string => `/api/v1/groups/${encodeURIComponent(id)}`;

export const useGroups = (query: string) =>
  useInfiniteQuery({
    queryKey: ['groups', 'list', query],
    queryFn: ({ pageParam, signal }) =>
      call<Page<Group>>(`/api/v1/groups${queryString({ query, pageSize, pageToken: pageParam })}`, {
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

export const useGroup = (id: string) =>
  useQuery({
    queryKey: ['groups', 'one', id],
    queryFn: ({ signal }) => call<Group>(groupPath(id), { signal }),
  });

/** Makes a group, or gives the one of `id` another name. */
export const useSaveGroup = (id?: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) =>
      id === undefined
        ? call<Group>('/api/v1/groups', { method: 'POST', body: { name } })
        : call<Group>(groupPath(id), { method: 'PATCH', body: { name } }),
    onSuccess: () => look(client),
  });
};

export const useDeleteGroup = (id: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call<void>(groupPath(id), { method: 'DELETE' }),
    onSuccess: () => {
      client.removeQueries({ queryKey: ['groups', 'one', id] });
      look(client);
    },
  });
};

export const useRoles = () =>
  useQuery({
    queryKey: ['roles'],
    queryFn: ({ signal }) => call<{ items: readonly Role[] }>('/api/v1/roles', { signal }),
  });

/** Whose members are changed. */
export type Membership = { readonly group: Group } | { readonly role: string };

export const nameOf = (of: Membership): string => ('group' in of ? of.group.name : of.role);

const membersPath = (of: Membership): string =>
  'group' in of
    ? `${groupPath(of.group.id)}/members`
    : `/api/v1/roles/${encodeURIComponent(of.role)}/members`;

export const useChangeMember = (of: Membership) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ username, how }: { username: string; how: 'add' | 'remove' }) =>
      call<void>(`${membersPath(of)}/${encodeURIComponent(username)}`, {
        method: how === 'add' ? 'PUT' : 'DELETE',
      }),
    onSuccess: () => look(client),
  });
};

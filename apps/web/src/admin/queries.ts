import {
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { tokensKey } from '../account/queries.ts';
import { call, queryString } from '../api/http.ts';
import type { Page } from '../api/types.ts';

export interface Person {
  readonly subject: string;
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly disabled: boolean;
  readonly createdAt: string;
  /** Null for who never did. */
  readonly lastSignInAt: string | null;
}

/** Who is meant of all people: everybody, or who has a role or is in a group. */
export interface PeopleFilter {
  readonly query: string;
  readonly role?: string;
  readonly group?: string;
}

export type PersonChanges = Partial<Pick<Person, 'name' | 'email' | 'roles' | 'groups' | 'disabled'>>;
export type NewPerson = Pick<Person, 'username' | 'roles' | 'groups'> &
  Partial<Pick<Person, 'name' | 'email'>>;

const pageSize = 50;
/** The answer holds a password: forgotten as soon as nobody shows it. */
const passwordKept = 0;
const pathOf = (username: string): string => `/api/v1/people/${encodeURIComponent(username)}`;

export const usePeople = (filter: PeopleFilter) =>
  useInfiniteQuery({
    queryKey: ['people', 'list', filter],
    queryFn: ({ pageParam, signal }) =>
      call<Page<Person>>(`/api/v1/people${queryString({ ...filter, pageSize, pageToken: pageParam })}`, {
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

export const usePerson = (username: string) =>
  useQuery({
    queryKey: ['people', 'one', username],
    queryFn: ({ signal }) => call<Person>(pathOf(username), { signal }),
  });

export const useAddPerson = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewPerson) =>
      call<{ person: Person; password: string }>('/api/v1/people', { method: 'POST', body }),
    gcTime: passwordKept,
    onSuccess: () => look(client),
  });
};

export const useChangePerson = (username: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: PersonChanges) => call<Person>(pathOf(username), { method: 'PATCH', body }),
    onSuccess: () => look(client, username),
  });
};

export const useRemovePerson = (username: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call<void>(pathOf(username), { method: 'DELETE' }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['people', 'list'] }),
  });
};

export const useResetPassword = (username: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call<{ password: string }>(`${pathOf(username)}/password`, { method: 'POST' }),
    gcTime: passwordKept,
    onSuccess: () => look(client, username),
  });
};

/** Reads anew what a change may have touched. */
export function look(client: QueryClient, username?: string): void {
  for (const key of ['people', 'groups', 'roles', 'service-accounts'])
    void client.invalidateQueries({ queryKey: [key] });
  if (username !== undefined) void client.invalidateQueries({ queryKey: tokensKey(username) });
}

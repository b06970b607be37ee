import {
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { queryString } from '../api/http.ts';
import { callService } from '../api/services.ts';
import type { Choice } from '../components/picker.tsx';
import type { Role } from './roles.ts';

/** As the service of workspaces answers, by HTTP and JSON. */
export interface Workspace {
  /** `workspaces/<id>` */
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly createTime: string;
  readonly creator: string;
  readonly deleteTime?: string;
  readonly purgeTime?: string;
  readonly kind: 'WORKSPACE_KIND_SHARED' | 'WORKSPACE_KIND_PERSONAL' | 'WORKSPACE_KIND_GLOBAL';
  /** `ROLE_UNSPECIFIED` for an administrator of the platform who is no member. */
  readonly role: Role | 'ROLE_UNSPECIFIED';
  readonly etag: string;
}

export interface Member {
  readonly name: string;
  /** `users/<id>` or `groups/<name>` */
  readonly member: string;
  readonly role: Role;
  readonly displayName: string;
  readonly loginPrincipal: string;
  readonly active: boolean;
  readonly etag: string;
}

export interface WorkspaceFilter {
  readonly query: string;
  readonly deleted: boolean;
  readonly all: boolean;
}

const service = 'authz';
const pageSize = 50;
/** What others change is seen soon, while somebody looks. */
const lookEveryMs = 3000;

export const idOf = ({ name }: Pick<Workspace, 'name'>): string => name.slice('workspaces/'.length);
const pathOf = (id: string): string => `/v1/workspaces/${encodeURIComponent(id)}`;

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

export const useWorkspaces = ({ query, deleted, all }: WorkspaceFilter) =>
  useInfiniteQuery({
    queryKey: ['workspaces', 'list', query, deleted, all],
    queryFn: ({ pageParam, signal }) =>
      callService<{ workspaces: readonly Workspace[]; nextPageToken: string }>(
        service,
        `/v1/workspaces${queryString({
          filter: query === '' ? '' : `display_name:${quoted(query)} OR description:${quoted(query)}`,
          orderBy: deleted ? 'delete_time desc' : 'display_name',
          state: deleted ? 'WORKSPACE_STATE_DELETED' : '',
          showAll: all ? true : undefined,
          pageSize,
          pageToken: pageParam,
        })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: lookEveryMs,
  });

export const useWorkspace = (id: string) =>
  useQuery({
    queryKey: ['workspaces', 'one', id],
    queryFn: async ({ signal }) =>
      (await callService<{ workspace: Workspace }>(service, pathOf(id), { signal })).workspace,
    refetchInterval: lookEveryMs,
  });

export const useMembers = (id: string) =>
  useInfiniteQuery({
    queryKey: ['workspaces', 'one', id, 'members'],
    queryFn: ({ pageParam, signal }) =>
      callService<{ members: readonly Member[]; nextPageToken: string }>(
        service,
        `${pathOf(id)}/members${queryString({ pageSize, pageToken: pageParam })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: lookEveryMs,
  });

const look = (client: QueryClient): Promise<void> => client.invalidateQueries({ queryKey: ['workspaces'] });

export interface WorkspaceFields {
  readonly displayName: string;
  readonly description: string;
}

/** Makes one, or changes what `before` says of itself: refused when somebody else did meanwhile. */
export const useSaveWorkspace = (before?: Workspace) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (fields: WorkspaceFields) => {
      const [path, method] =
        before === undefined
          ? (['/v1/workspaces', 'POST'] as const)
          : ([`${pathOf(idOf(before))}?updateMask=display_name,description`, 'PATCH'] as const);
      const body = { ...fields, ...(before === undefined ? {} : { etag: before.etag }) };
      return (await callService<{ workspace: Workspace }>(service, path, { method, body })).workspace;
    },
    onSettled: () => look(client),
  });
};

type Deed = 'delete' | 'undelete' | 'leave';

export const useWorkspaceDeed = (deed: Deed) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      deed === 'delete'
        ? callService(service, pathOf(id), { method: 'DELETE' })
        : callService(service, `${pathOf(id)}:${deed}`, { method: 'POST', body: {} }),
    onSettled: () => look(client),
  });
};

export const useAssignOwner = (id: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (owner: string) =>
      callService(service, `${pathOf(id)}:assignOwner`, { method: 'POST', body: { owner } }),
    onSettled: () => look(client),
  });
};

export const useAddMember = (id: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (member: { member: string; role: Role }) =>
      callService(service, `${pathOf(id)}/members`, { method: 'POST', body: member }),
    onSettled: () => look(client),
  });
};

/** Seen at once, and taken back when it is refused. */
export const useSetRole = (id: string) => {
  const client = useQueryClient();
  const queryKey = ['workspaces', 'one', id, 'members'];
  return useMutation({
    mutationFn: ({ member, role }: { member: Member; role: Role }) =>
      callService(service, `/v1/${member.name}`, { method: 'PATCH', body: { role, etag: member.etag } }),
    onMutate: async ({ member, role }) => {
      await client.cancelQueries({ queryKey });
      const before = client.getQueryData(queryKey);
      client.setQueryData<ReturnType<typeof useMembers>['data']>(
        queryKey,
        (now) =>
          now && {
            ...now,
            pages: now.pages.map((page) => ({
              ...page,
              members: page.members.map((each) => (each.name === member.name ? { ...each, role } : each)),
            })),
          },
      );
      return before;
    },
    onError: (_error, _change, before) => client.setQueryData(queryKey, before),
    onSettled: () => look(client),
  });
};

export const useRemoveMember = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (member: Member) => callService(service, `/v1/${member.name}`, { method: 'DELETE' }),
    onSettled: () => look(client),
  });
};

interface Users {
  readonly users: readonly {
    readonly name: string;
    readonly displayName: string;
    readonly loginPrincipal: string;
    readonly active: boolean;
  }[];
}
interface Groups {
  readonly groups: readonly { readonly name: string; readonly displayName: string }[];
}

/** People and service accounts, and groups where `withGroups`, by part of a name. */
export const useFindMembers = (query: string, withGroups: boolean) =>
  useQuery({
    queryKey: ['workspaces', 'find', query, withGroups],
    queryFn: async ({ signal }): Promise<readonly Choice[]> => {
      const ask = <Answer>(what: string) =>
        callService<Answer>(service, `/v1/${what}${queryString({ filter: query, pageSize: 20 })}`, {
          signal,
        });
      const [{ users }, { groups }] = await Promise.all([
        ask<Users>('users'),
        withGroups ? ask<Groups>('groups') : { groups: [] },
      ]);
      return [
        ...users
          .filter(({ active }) => active)
          .map(({ name, displayName, loginPrincipal }) => ({
            ...{ value: name, label: displayName, description: loginPrincipal },
          })),
        ...groups.map(({ name, displayName }) => ({ value: name, label: displayName, description: 'Group' })),
      ];
    },
    placeholderData: keepPreviousData,
  });

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
import type { Owner, Page } from '../api/types.ts';

export type SecretVisibility = 'PRIVATE' | 'ALL_USERS' | 'APP';

/** Without its values: those are asked for one by one, and forgotten when nobody shows them. */
export interface Secret {
  readonly name: string;
  readonly visibility: SecretVisibility;
  /** `app:<name>` for APP. */
  readonly parent: string;
  readonly keys: readonly string[];
  readonly owner: Owner;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
  readonly canChange: boolean;
  readonly canReveal: boolean;
}

export interface SecretDetails extends Secret {
  readonly usedBy: {
    readonly apps: readonly {
      readonly id: string;
      readonly title: string;
      readonly version: string;
      readonly owner: string;
      readonly keys: readonly string[];
    }[];
    readonly others: number;
  };
}

/** A text, or what is none. */
export type SecretValue = string | { readonly base64: string };
export type SecretValues = Readonly<Record<string, SecretValue>>;

export interface NewSecret {
  readonly name: string;
  readonly visibility: SecretVisibility;
  readonly parent?: string;
  readonly values: SecretValues;
}

type Place = Pick<Secret, 'name' | 'visibility' | 'parent'>;

const path = '/api/v1/secrets';
const pageSize = 50;
const pathOf = ({ name, visibility, parent }: Place, verb = ''): string =>
  `${path}/${encodeURIComponent(name)}${verb}${queryString({ visibility, parent })}`;

export const secretId = ({ visibility, parent, name }: Place): string => `${visibility} ${parent} ${name}`;

const lookAgain = (client: QueryClient): void => {
  for (const key of ['secrets', 'apps', 'app']) void client.invalidateQueries({ queryKey: [key] });
};

export const useSecrets = (filter: { query: string; visibility: SecretVisibility | '' }, enabled: boolean) =>
  useInfiniteQuery({
    queryKey: ['secrets', 'list', filter],
    queryFn: ({ pageParam, signal }) =>
      call<Page<Secret>>(`${path}${queryString({ ...filter, pageSize, pageToken: pageParam })}`, { signal }),
    enabled,
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

/** With who uses it: asked anew each time, since somebody decides by it. */
export const useSecretDetails = (secret: Secret) =>
  useQuery({
    queryKey: ['secrets', 'one', secretId(secret)],
    queryFn: ({ signal }) => call<SecretDetails>(pathOf(secret), { signal }),
    staleTime: 0,
  });

export const useCreateSecret = () => {
  const client = useQueryClient();
  const [key] = useState(() => crypto.randomUUID());
  return useMutation({
    ...{ gcTime: 0 },
    mutationFn: (body: NewSecret) =>
      call<Secret>(path, { method: 'POST', body, headers: { 'idempotency-key': `${key}-${body.name}` } }),
    onSuccess: () => lookAgain(client),
  });
};

export const useChangeSecret = (secret: Place) => {
  const client = useQueryClient();
  return useMutation({
    ...{ gcTime: 0 },
    mutationFn: (body: { values: SecretValues; keep: readonly string[] }) =>
      call<Secret>(pathOf(secret), { method: 'PUT', body }),
    onSuccess: () => lookAgain(client),
  });
};

export const useRevealSecret = (secret: Place) =>
  useMutation({
    ...{ gcTime: 0 },
    mutationFn: async () =>
      (await call<{ values: SecretValues }>(pathOf(secret, '/reveal'), { method: 'POST' })).values,
  });

export const useDeleteSecret = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (secret: Place) => call<void>(pathOf(secret), { method: 'DELETE' }),
    onSuccess: () => lookAgain(client),
  });
};

export const useRestoreSecret = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (secret: Place) => call<Secret>(pathOf(secret, '/restore'), { method: 'POST' }),
    onSuccess: () => lookAgain(client),
  });
};

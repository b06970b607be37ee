import { type QueryClient, useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { queryString } from '../api/http.ts';
import { callService } from '../api/services.ts';
import type { SecretValue } from './queries.ts';

/** As the secure store answers; a value is in no answer but of its own question. */
export interface StoredSecret {
  /** `workspaces/<id>/secrets/<id>` */
  readonly name: string;
  readonly state: 'STATE_ACTIVE' | 'STATE_DELETED';
  readonly displayName: string;
  readonly createTime: string;
}

export interface StoredVersion {
  /** `…/versions/v3` */
  readonly name: string;
  readonly createTime: string;
}

const service = 'secure-store';
const pageSize = 50;

export const lastOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

const lookAgain = (client: QueryClient): void =>
  void client.invalidateQueries({ queryKey: ['secrets', 'workspace'] });

export const useStoredSecrets = (workspace: string) =>
  useInfiniteQuery({
    queryKey: ['secrets', 'workspace', workspace],
    queryFn: ({ pageParam, signal }) =>
      callService<{ secrets: readonly StoredSecret[]; nextPageToken: string }>(
        service,
        `/v1/${workspace}/secrets${queryString({ pageSize, pageToken: pageParam })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });

export const useStoredVersions = (secret: string) =>
  useInfiniteQuery({
    queryKey: ['secrets', 'workspace', 'versions', secret],
    queryFn: ({ pageParam, signal }) =>
      callService<{ secretVersions: readonly StoredVersion[]; nextPageToken: string }>(
        service,
        `/v1/${secret}/versions${queryString({ pageSize, pageToken: pageParam })}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });

/** The secret first, then what it holds; of a try that got half-way the secret is there already. */
export const useKeepStored = (workspace: string) => {
  const client = useQueryClient();
  return useMutation({
    gcTime: 0,
    mutationFn: async ({ id, value }: { id: string; value: SecretValue }) => {
      await callService(service, `/v1/${workspace}/secrets${queryString({ secretId: id })}`, {
        method: 'POST',
        body: {},
      });
      await addVersion(`${workspace}/secrets/${id}`, value);
    },
    onSettled: () => lookAgain(client),
  });
};

export const useAddVersion = (secret: string) => {
  const client = useQueryClient();
  return useMutation({
    gcTime: 0,
    mutationFn: (value: SecretValue) => addVersion(secret, value),
    onSuccess: () => lookAgain(client),
  });
};

const addVersion = (secret: string, value: SecretValue) =>
  callService(service, `/v1/${secret}/versions`, { method: 'POST', body: { value: base64Of(value) } });

export const useRevealVersion = () =>
  useMutation({
    gcTime: 0,
    mutationFn: async (version: string): Promise<SecretValue> => {
      const { value } = await callService<{ value: string }>(service, `/v1/${version}:revealValue`);
      return textOf(value);
    },
  });

export const useDeleteStored = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (secret: string) => callService(service, `/v1/${secret}`, { method: 'DELETE' }),
    onSuccess: () => lookAgain(client),
  });
};

export const useUndeleteStored = () => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (secret: string) =>
      callService(service, `/v1/${secret}:undelete`, { method: 'POST', body: {} }),
    onSuccess: () => lookAgain(client),
  });
};

function base64Of(value: SecretValue): string {
  if (typeof value !== 'string') return value.base64;
  return btoa(Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join(''));
}

function textOf(base64: string): SecretValue {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { base64 };
  }
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../api/http.ts';
import type { DriveUsage } from './types.ts';

/** Whose bucket it is: a subject, or the id of a workspace. */
export interface QuotaHolder {
  readonly kind: 'people' | 'workspaces';
  readonly id: string;
}

export interface DriveQuota {
  readonly usage: DriveUsage;
  readonly trash: DriveUsage;
  /** Whether it is what the installation says for all. */
  readonly isDefault: boolean;
}

/** 'default': what the installation says; null: no limit; else bytes. */
export type WantedQuota = number | null | 'default';

const pathOf = ({ kind, id }: QuotaHolder) => `/api/v1/drive/quotas/${kind}/${encodeURIComponent(id)}`;
const keyOf = ({ kind, id }: QuotaHolder) => ['drive-quota', kind, id];

export const useQuota = (holder: QuotaHolder) =>
  useQuery({
    queryKey: keyOf(holder),
    queryFn: ({ signal }) => call<DriveQuota>(pathOf(holder), { signal }),
  });

export function useSetQuota(holder: QuotaHolder) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: WantedQuota) =>
      wanted === 'default'
        ? call<DriveQuota>(pathOf(holder), { method: 'DELETE' })
        : call<DriveQuota>(pathOf(holder), { method: 'PUT', body: { quota: wanted } }),
    onSuccess: (quota) => client.setQueryData(keyOf(holder), quota),
  });
}

const gigabyte = 1e9;

/** Bytes of "1.5" or "1,5" GB; undefined for what is no such number. */
export function bytesOf(gigabytes: string): number | undefined {
  const text = gigabytes.trim().replace(',', '.');
  const bytes = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Math.round(Number(text) * gigabyte) : 0;
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

export const gigabytesOf = (bytes: number): string => String(bytes / gigabyte);

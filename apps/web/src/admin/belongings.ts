import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../api/http.ts';
import type { Instance, Visibility } from '../api/types.ts';

export interface OwnedApp {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly visibility: Visibility;
}

export interface OwnedInstance {
  readonly id: string;
  readonly app: Pick<Instance['app'], 'id' | 'name' | 'version' | 'title'>;
  readonly status: Instance['status'];
  readonly visibility: Visibility;
}

export interface Belongings {
  readonly apps: readonly OwnedApp[];
  readonly instances: readonly OwnedInstance[];
  readonly running: number;
}

export interface Outcome {
  readonly id: string;
  /** Why it was not handed over; absent when it was. */
  readonly problem?: { readonly code: string; readonly message: string };
}

export interface Outcomes {
  readonly apps: readonly Outcome[];
  readonly instances: readonly Outcome[];
}

const pathOf = (username: string): string => `/api/v1/people/${encodeURIComponent(username)}`;
const belongingsKey = (username: string) => ['belongings', username] as const;

export const useBelongings = (username: string) =>
  useQuery({
    queryKey: belongingsKey(username),
    queryFn: ({ signal }) => call<Belongings>(`${pathOf(username)}/belongings`, { signal }),
    staleTime: 0,
  });

export const useHandOver = (username: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { to: string; apps: readonly string[]; instances: readonly string[] }) =>
      call<Outcomes>(`${pathOf(username)}/hand-over`, { method: 'POST', body }),
    onSettled: () => {
      for (const key of ['belongings', 'apps', 'app', 'instances', 'instance'])
        void client.invalidateQueries({ queryKey: [key] });
    },
  });
};

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** "2 apps and 3 instances, 1 of them running", or '' for nothing. */
export function inWords({ apps, instances, running }: Belongings): string {
  const parts = [
    ...(apps.length === 0 ? [] : [counted(apps.length, 'app')]),
    ...(instances.length === 0
      ? []
      : [`${counted(instances.length, 'instance')}${running === 0 ? '' : `, ${running} of them running`}`]),
  ];
  return parts.join(' and ');
}

import { idOf, useWorkspaces } from '../workspaces/queries.ts';
import { useBuckets } from './queries.ts';

/** Buckets by the names that people gave to their workspaces. */
export function useBucketChoices(): readonly {
  readonly value: string;
  readonly label: string;
  readonly canWrite: boolean;
}[] {
  const buckets = useBuckets();
  const workspaces = useWorkspaces({ query: '', deleted: false, all: false });
  const named = new Map(
    (workspaces.data?.pages.flatMap((page) => page.workspaces) ?? []).map((workspace) => [
      idOf(workspace),
      workspace.displayName,
    ]),
  );
  const own = (buckets.data?.items ?? []).filter(({ kind }) => kind === 'OWN');
  const others = (buckets.data?.items ?? []).filter(({ kind }) => kind !== 'OWN');
  return [...own, ...others].map(({ name, kind, canWrite }) => ({
    value: name,
    label: kind === 'OWN' ? 'My files' : `Workspace ${named.get(name) ?? name}`,
    canWrite,
  }));
}

import { useMemo } from 'react';
import { useInstances } from '../api/queries.ts';

/** How many of one's own instances of each app are up or on their way. */
export function useRunningByApp(): ReadonlyMap<string, number> {
  const instances = useInstances({});
  return useMemo(() => {
    const counts = new Map<string, number>();
    for (const instance of instances.data?.pages.flatMap((page) => page.items) ?? []) {
      if (instance.status !== 'DEPLOYED') continue;
      counts.set(instance.app.id, (counts.get(instance.app.id) ?? 0) + 1);
    }
    return counts;
  }, [instances.data]);
}

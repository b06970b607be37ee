import type { InstanceIdentity } from './model.ts';

/**
 * Instances between the decision to start them and the moment the runtime knows them. They count against limits, keep their app from
 * being deleted and their client from being swept: without this, two clicks at once would pass a limit.
 */
export interface Starting {
  begin(id: string, start: { appId: string; owner: string }): Disposable;
  has(id: string): boolean;
  /** How many of an owner's (or an app's) starts are not among the known instances yet. */
  countOf(match: { owner: string } | { appId: string }, known: readonly InstanceIdentity[]): number;
}

export function createStarting(): Starting {
  const starts = new Map<string, { appId: string; owner: string }>();
  return {
    begin(id, start) {
      starts.set(id, start);
      return { [Symbol.dispose]: () => void starts.delete(id) };
    },
    has: (id) => starts.has(id),
    countOf(match, known) {
      const ids = new Set(known.map((instance) => instance.id));
      return [...starts].filter(
        ([id, start]) =>
          !ids.has(id) && ('owner' in match ? start.owner === match.owner : start.appId === match.appId),
      ).length;
    },
  };
}

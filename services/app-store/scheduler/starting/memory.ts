import type { Starting } from './port.ts';

/** For tests of a scheduler that is alone. */
export function createMemoryStarting(): Starting {
  const starts = new Map<string, { appId: string; owner: string; place: number }>();
  let last = 0;
  const forget = async (id: string) => void starts.delete(id);
  return {
    async begin(id, start) {
      last += 1;
      const mine = { ...start, place: last };
      starts.set(id, mine);
      return {
        before: async (known) =>
          [...starts].filter(
            ([other, { owner, place }]) =>
              owner === mine.owner && place < mine.place && !known.includes(other),
          ).length,
        made: () => forget(id),
        failed: () => forget(id),
      };
    },
    ids: async () => new Set(starts.keys()),
    countOf: async (appId, known) =>
      [...starts].filter(([id, start]) => start.appId === appId && !known.includes(id)).length,
    forget,
  };
}

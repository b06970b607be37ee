import type { KnownBreak } from './known-breaks.ts';
import { sha256 } from './lock.ts';
import { keyOf, type ResolutionInput } from './resolver.ts';
import type { EnvironmentStore } from './store.ts';

/** What a cut-off repaired, so that the next start goes there straight. */
export interface Repair {
  /** YYYY-MM-DD */
  readonly cutOff: string;
  /** What was wrong without it, as a sentence. */
  readonly why: string;
}

/** Kept beside the locks and swept with them. Other data of known breaks may know a better repair, so it looks anew. */
export function createRepairMemory(store: EnvironmentStore, breaks: readonly KnownBreak[]) {
  const place = (input: ResolutionInput) => sha256(JSON.stringify(['repair', keyOf(input), breaks]));
  return {
    recall: async (input: ResolutionInput): Promise<Repair | undefined> => {
      const text = await store.rememberedLock(place(input));
      return text === undefined ? undefined : (JSON.parse(text) as Repair);
    },
    keep: (input: ResolutionInput, repair: Repair) =>
      store.rememberLock(place(input), JSON.stringify(repair)),
    forget: (input: ResolutionInput) => store.forgetLock(place(input)),
  };
}

export type RepairMemory = ReturnType<typeof createRepairMemory>;

import { useEffect, useRef, useSyncExternalStore } from 'react';

/** What went wrong with something whose dialog was closed meanwhile: stays in the corner of every page until it is put away. */
export interface KeptNotice {
  readonly id: number;
  readonly title: string;
  readonly error: unknown;
}

/** Outside React: what a dialog began outlives it. */
let notices: readonly KeptNotice[] = [];
let lastId = 0;
const subscribers = new Set<() => void>();

function set(next: readonly KeptNotice[]): void {
  notices = next;
  for (const subscriber of subscribers) subscriber();
}

export const dismissNotice = (id: number): void => set(notices.filter((notice) => notice.id !== id));

export const useKeptNotices = (): readonly KeptNotice[] =>
  useSyncExternalStore(
    (onChange) => {
      subscribers.add(onChange);
      return () => subscribers.delete(onChange);
    },
    () => notices,
  );

/**
 * For the dialog that calls it: resolves and throws as `work` does, so that the dialog shows what went wrong; where it was closed meanwhile, that
 * stays in a notice under the title.
 */
export function useOutliving(): <T>(title: string, work: Promise<T>) => Promise<T> {
  const isOpen = useRef(true);
  useEffect(() => {
    isOpen.current = true;
    return () => {
      isOpen.current = false;
    };
  }, []);
  return async (title, work) => {
    try {
      return await work;
    } catch (error) {
      if (!isOpen.current) {
        lastId += 1;
        set([...notices, { id: lastId, title, error }]);
      }
      throw error;
    }
  };
}

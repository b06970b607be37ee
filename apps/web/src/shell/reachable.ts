import { useSyncExternalStore } from 'react';

/** Whether the platform answered the last call. Outside React, since the transport sets it. */
let reachable = true;
const subscribers = new Set<() => void>();

export function setReachable(next: boolean): void {
  if (next === reachable) return;
  reachable = next;
  for (const subscriber of subscribers) subscriber();
}

export const useReachable = (): boolean =>
  useSyncExternalStore(
    (onChange) => {
      subscribers.add(onChange);
      return () => subscribers.delete(onChange);
    },
    () => reachable,
  );

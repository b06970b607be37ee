import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { followEvents } from '../api/event-stream.ts';
import { call } from '../api/http.ts';
import { ApiError } from '../api/problem.ts';
import { instanceKey, useInstance } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';

const pauseMilliseconds = 1000;

/**
 * The instance, kept up to date by the platform's events. `gone`: it was there and is no more; what was last known of it stays.
 */
export function useLiveInstance(id: string) {
  const client = useQueryClient();
  const query = useInstance(id);
  const [gone, setGone] = useState(false);
  const known = query.data !== undefined;

  useEffect(() => {
    if (!known) return;
    const abort = new AbortController();
    void follow(client, id, abort.signal).then((ended) => {
      if (ended && !abort.signal.aborted) setGone(true);
    });
    return () => abort.abort();
  }, [id, known, client]);

  const isGone = gone || (known && query.error instanceof ApiError && query.error.status === 404);
  return { ...query, gone: isGone };
}

const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** Follows the events until the instance is gone (true), or until nothing more is to be learned of it (false). */
async function follow(client: QueryClient, id: string, signal: AbortSignal): Promise<boolean> {
  const path = `/api/v1/instances/${encodeURIComponent(id)}`;
  while (!signal.aborted) {
    try {
      await followEvents(`${path}/events`, {
        signal,
        onEvent: (event) => {
          if (event.event === 'instance')
            client.setQueryData(instanceKey(id), JSON.parse(event.data) as Instance);
        },
        again: () => true,
      });
      // The events may also end because rights or the session changed: only a look tells that the instance is gone.
      if (!signal.aborted) await call<Instance>(path, { signal });
    } catch (error) {
      return isMissing(error);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
  }
  return false;
}

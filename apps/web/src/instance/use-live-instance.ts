import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { followEvents } from '../api/event-stream.ts';
import { ApiError } from '../api/problem.ts';
import { instanceKey, useInstance } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';

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
    const noteEnd = (error?: unknown): void => {
      if (abort.signal.aborted) return;
      if (error === undefined || (error instanceof ApiError && error.status === 404)) setGone(true);
    };
    followEvents(`/api/v1/instances/${encodeURIComponent(id)}/events`, {
      signal: abort.signal,
      onEvent: (event) => {
        if (event.event === 'instance')
          client.setQueryData(instanceKey(id), JSON.parse(event.data) as Instance);
      },
      // A stream that ends may mean the end of the instance, or a restart of the platform: asking again tells which.
      again: () => true,
    }).then(noteEnd, noteEnd);
    return () => abort.abort();
  }, [id, known, client]);

  const isGone = gone || (known && query.error instanceof ApiError && query.error.status === 404);
  return { ...query, gone: isGone };
}

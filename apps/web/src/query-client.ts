import { QueryClient } from '@tanstack/react-query';
import { listenToTransport } from './api/http.ts';
import { ApiError } from './api/problem.ts';
import { sessionQuery } from './api/queries.ts';
import type { Session } from './api/types.ts';
import { setReachable } from './shell/reachable.ts';

/** The cache, told by the transport when the session or the platform goes away. */
export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // What the platform refused it refuses again; only what it could not answer is asked anew.
        retry: (count, error) => count < 2 && error instanceof ApiError && error.isUnreachable,
        retryDelay: 800,
        // Whether there is a network says little about a platform on this machine; the transport knows better.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
  listenToTransport({
    onReachable: setReachable,
    onSignedOut: () => client.setQueryData<Session>(sessionQuery.queryKey, { signedIn: false }),
  });
  return client;
}

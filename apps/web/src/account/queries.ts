import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../api/http.ts';

/** A sign-in session, or a token that outlives sessions. */
export interface PersonalToken {
  readonly id: string;
  readonly kind: 'SESSION' | 'PLATFORM_TOKEN' | 'CLI_TOKEN';
  readonly client: string | null;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly current: boolean;
}

/** Of somebody else only for administrators; without a name, one's own. */
const pathOf = (username: string | undefined): string =>
  username === undefined ? '/api/v1/me/tokens' : `/api/v1/people/${encodeURIComponent(username)}/tokens`;

export const tokensKey = (username: string | undefined) =>
  username === undefined ? ['tokens'] : ['tokens', username];

export const useTokens = (username: string | undefined) =>
  useQuery({
    queryKey: [...tokensKey(username), 'list'],
    queryFn: ({ signal }) => call<{ items: readonly PersonalToken[] }>(pathOf(username), { signal }),
  });

export const useRevoke = (username: string | undefined) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      call<void>(`${pathOf(username)}/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    // Also when it failed: it may be gone already.
    onSettled: () => client.invalidateQueries({ queryKey: tokensKey(username) }),
  });
};

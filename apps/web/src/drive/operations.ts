import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../api/http.ts';
import { ApiError } from '../api/problem.ts';
import { lookAgain } from './queries.ts';
import type { DriveOperation, WantedOperation } from './types.ts';

const api = '/api/v1/drive/operations';
const key = ['drive', 'operations'];

/** What runs, also from another tab or before a reload. Looked at every second while something does. */
export const useRunningOperations = () =>
  useQuery({
    queryKey: key,
    queryFn: async ({ signal }) =>
      (await call<{ items: readonly DriveOperation[] }>(api, { signal })).items.filter(
        ({ state }) => state === 'RUNNING',
      ),
    refetchInterval: (query) => ((query.state.data?.length ?? 0) > 0 ? 1000 : false),
  });

/** Resolves when all of it is done; throws what kept it from that. */
export const useOperate = () => {
  const client = useQueryClient();
  return async (wanted: WantedOperation): Promise<DriveOperation> => {
    const begun = await call<DriveOperation>(api, {
      method: 'POST',
      body: wanted,
      headers: { 'idempotency-key': crypto.randomUUID() },
    });
    return outcomeOf(client, begun, () => {
      for (const bucket of bucketsOf(wanted)) lookAgain(client, bucket);
    });
  };
};

/** What became of an operation, however long it takes; throws what kept it from being done. */
export async function outcomeOf(
  client: QueryClient,
  begun: DriveOperation,
  whenEnded: () => void,
): Promise<DriveOperation> {
  if (begun.state === 'RUNNING') void client.invalidateQueries({ queryKey: key });
  const ended = await ending(begun);
  whenEnded();
  void client.invalidateQueries({ queryKey: key });
  if (ended.state === 'FAILED') throw problemOf(ended);
  return ended;
}

async function ending(operation: DriveOperation): Promise<DriveOperation> {
  let now = operation;
  while (now.state === 'RUNNING') {
    await new Promise((resolve) => setTimeout(resolve, 700));
    // The platform may be away for a moment.
    now = await call<DriveOperation>(`${api}/${operation.id}`).catch((error: unknown) => {
      if (error instanceof ApiError && error.isUnreachable) return now;
      throw error;
    });
  }
  return now;
}

export const cancelOperation = async (client: QueryClient, { id }: DriveOperation): Promise<void> => {
  await call<DriveOperation>(`${api}/${id}/cancel`, { method: 'POST' });
  void client.invalidateQueries({ queryKey: key });
};

const bucketsOf = (wanted: WantedOperation): ReadonlySet<string> =>
  new Set('target' in wanted ? [wanted.bucket, wanted.target.bucket] : [wanted.bucket]);

export function problemOf({ failures, failed, done }: DriveOperation): ApiError {
  const [first] = failures;
  const rest = failed > 1 ? ` (and ${failed - 1} more)` : '';
  const did = done > 0 ? ` ${done} of ${done + failed} are done.` : '';
  const where =
    first === undefined || first.key === '' || first.message.includes(first.key) ? '' : `${first.key}: `;
  return new ApiError(
    409,
    first?.code ?? 'internal',
    `${where}${first?.message ?? 'It failed.'}${rest}${did}`,
  );
}

import type { Database, TransactionSql } from '@haic/platform/database/port.ts';
import { LRUCache } from 'lru-cache';
import type { WorkspaceAccess, WorkspaceActor, WorkspacesClient } from './client.ts';

const changesChannel = 'haic_workspaces';

/** To everybody who keeps answers about the workspace: it changes with this transaction. Heard when that commits. */
export const tell = async (writer: TransactionSql, id: string): Promise<void> => {
  await writer`select pg_notify(${changesChannel}, ${id})`;
};

export interface CachedWorkspaces extends WorkspacesClient {
  /** Something about the workspace has changed: what was known of it is asked anew. */
  forget(id: string): void;
  stop(): Promise<void>;
}

/**
 * Keeps what `inner` answers for seconds, until the database says that it has changed. An answer that was on its way when something changed is
 * given and not kept. While the database is not listened to (it restarts), the few seconds are how long a change may go unnoticed.
 */
export async function createAccessCache(options: {
  readonly inner: WorkspacesClient;
  readonly database: Pick<Database, 'listen'>;
  readonly lifetimeMs?: number;
}): Promise<CachedWorkspaces> {
  const { inner, database, lifetimeMs = 5000 } = options;
  const one = new LRUCache<string, WorkspaceAccess>({ max: 10_000, ttl: lifetimeMs });
  const lists = new LRUCache<string, readonly WorkspaceAccess[]>({ max: 1000, ttl: lifetimeMs });
  /** Grows with each change: an answer that was asked for before is not kept. */
  let changes = 0;

  const forget = (id: string) => {
    changes += 1;
    lists.clear();
    const workspace = `workspaces/${id}`;
    for (const [key, access] of one.entries()) if (access.workspace === workspace) one.delete(key);
  };
  const forgetAll = () => {
    changes += 1;
    lists.clear();
    one.clear();
  };

  async function kept<T extends object>(
    cache: LRUCache<string, T>,
    key: string,
    ask: () => Promise<T>,
  ): Promise<T> {
    const known = cache.get(key);
    if (known !== undefined) return known;
    const before = changes;
    const answer = await ask();
    if (before === changes) cache.set(key, answer);
    return answer;
  }

  const subscription = await database.listen(changesChannel, forget, forgetAll);
  return {
    accessOf: (actor, workspace) =>
      kept(one, `${workspace} ${keyOf(actor)}`, () => inner.accessOf(actor, workspace)),
    workspacesOf: (actor) => kept(lists, keyOf(actor), () => inner.workspacesOf(actor)),
    forget,
    stop: () => subscription.stop(),
  };
}

/** All that an answer depends on: who loses a role or a group loses with the next token what it gave. */
const keyOf = ({ subject, roles, groups, partyKind }: WorkspaceActor): string =>
  JSON.stringify([subject, roles, groups, partyKind]);

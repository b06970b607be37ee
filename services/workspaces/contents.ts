import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database, TransactionSql } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import { tell } from './access-cache.ts';
import { ownAction } from './changing.ts';
import type { WorkspaceContents } from './client.ts';
import { workspaceName } from './model.ts';
import type { WorkspaceStore } from './store.ts';

type Task = 'deleted' | 'restored' | 'purge';

/** What services that hold content are told: noted with the change, and told until they have heard it. */
export interface ContentTasks {
  holds(contents: WorkspaceContents): void;
  add(workspace: string, task: Task, at: Date, writer: TransactionSql): Promise<void>;
  /** Tells what there is to tell, soon. */
  work(): void;
  /** What `work` does, and those whose days are over are purged. */
  sweep(): Promise<void>;
}

export function createContentTasks(parts: {
  readonly database: Database;
  readonly workspaces: WorkspaceStore;
  readonly audit: AuditWriter;
  readonly now: () => Date;
  readonly logger: Logger;
}): ContentTasks {
  const { database, workspaces, audit, now, logger } = parts;
  const { sql } = database;
  const holders = new Map<string, WorkspaceContents>();

  const tellHolder = (holder: WorkspaceContents, task: Task, workspace: string): Promise<void> => {
    switch (task) {
      case 'deleted':
        return holder.whenDeleted(workspace);
      case 'restored':
        return holder.whenRestored(workspace);
      case 'purge':
        return holder.purge(workspace);
    }
  };

  /** One after the other, so that no service hears of a deletion while it hears that it was undone. */
  let last: Promise<void> = Promise.resolve();
  const tellAll = (): Promise<void> => {
    const turn = last.then(tellNow);
    last = turn.catch(() => {});
    return turn;
  };

  /** What was put in its place meanwhile stays to be told. */
  async function tellNow(): Promise<void> {
    const tasks = await sql<{ workspace_id: string; holder: string; task: Task; created_at: Date }[]>`
      select workspace_id, holder, task, created_at from workspaces.content_tasks
      where holder = any(${[...holders.keys()]}) order by created_at limit 1000`;
    for (const { workspace_id: id, holder, task, created_at: at } of tasks) {
      const contents = holders.get(holder);
      if (contents === undefined) continue;
      try {
        await tellHolder(contents, task, workspaceName(id));
      } catch (error) {
        logger.warn(
          { workspace: id, holder, task },
          `A service could not do its part with a workspace now (${messageOf(error)}); it is asked again.`,
        );
        continue;
      }
      await sql`
        delete from workspaces.content_tasks
        where workspace_id = ${id} and holder = ${holder} and task = ${task} and created_at = ${at}`;
    }
  }

  const add: ContentTasks['add'] = async (workspace, task, at, writer) => {
    await writer`
      insert into workspaces.content_tasks (workspace_id, holder, task, created_at)
      select ${workspace}, unnest(${[...holders.keys()]}::text[]), ${task}, ${at}
      on conflict (workspace_id, holder) do update set task = excluded.task, created_at = excluded.created_at`;
  };

  /** Every service is asked first; the row, which is all that is left, goes when the last of them has done its part. */
  async function purge(id: string): Promise<void> {
    await database.transaction(async (writer) => {
      const [row] = await writer<{ asked: boolean }[]>`
        select purge_asked as asked from workspaces.workspaces
        where id = ${id} and purge_at <= ${now()} for update`;
      if (row === undefined || row.asked) return;
      await writer`update workspaces.workspaces set purge_asked = true where id = ${id}`;
      await add(id, 'purge', now(), writer);
    });
    await tellAll();
    await database.transaction(async (writer) => {
      const rows = await writer`
        select 1 from workspaces.workspaces w where id = ${id} and purge_asked
          and not exists (select 1 from workspaces.content_tasks t where t.workspace_id = w.id)
        for update`;
      if (rows.length === 0) return;
      await audit.record(ownAction('actions/workspaceserver/workspaces/PURGE', id), writer);
      await workspaces.remove(id, writer);
      await tell(writer, id);
    });
  }

  return {
    holds: (contents) => void holders.set(contents.holder, contents),
    add,
    work: () => {
      tellAll().catch((error: unknown) => {
        logger.warn({ err: error }, 'Services could not be told of a workspace; they are told soon.');
      });
    },
    sweep: async () => {
      await tellAll();
      for (const id of await workspaces.toPurge(now())) await purge(id);
    },
  };
}

import type { Database } from '@haic/platform/database/port.ts';
import type { Failure, Operation, OperationKind, OperationState, TrashEntry } from './model.ts';

export type OceanStore = ReturnType<typeof createOceanStore>;

/** An operation that was not seen for so long died with its process. It is seen every second. */
const livesForSeconds = 30;

interface OperationRow {
  readonly id: string;
  readonly subject: string;
  readonly kind: OperationKind;
  readonly bucket: string;
  readonly state: OperationState;
  readonly done: number;
  readonly failed: number;
  readonly total: number | null;
  readonly failures: readonly Failure[];
  readonly trash_id: string | null;
  readonly created_at: Date;
  readonly ended_at: Date | null;
  readonly is_lost: boolean;
}

export interface Progress {
  readonly done: number;
  readonly failed: number;
  readonly total: number | undefined;
}

export function createOceanStore({ sql }: Database) {
  const columns = sql`
    id, subject, kind, bucket, state, done, failed, total, failures, trash_id, created_at, ended_at,
    state = 'RUNNING' and seen_at < now() - make_interval(secs => ${livesForSeconds}) as is_lost`;

  return {
    begin: async (operation: {
      readonly id: string;
      readonly subject: string;
      readonly kind: OperationKind;
      readonly bucket: string;
      readonly trashId: string | undefined;
    }): Promise<Operation> => {
      const { id, subject, kind, bucket, trashId = null } = operation;
      const rows = await sql<OperationRow[]>`
        insert into ocean.operations (id, subject, kind, bucket, trash_id)
        values (${id}, ${subject}, ${kind}, ${bucket}, ${trashId})
        on conflict (id) do nothing returning ${columns}`;
      const [row] =
        rows.length > 0
          ? rows
          : await sql<OperationRow[]>`
        select ${columns} from ocean.operations where id = ${id} and subject = ${subject}`;
      if (row === undefined) throw new Error(`The operation ${id} was not kept.`);
      return operationOf(row);
    },
    /** Whether somebody asked for its end. */
    progress: async (id: string, { done, failed, total }: Progress): Promise<boolean> => {
      const [row] = await sql<{ cancel_requested: boolean }[]>`
        update ocean.operations set done = ${done}, failed = ${failed}, total = ${total ?? null}, seen_at = now()
        where id = ${id} and state = 'RUNNING' returning cancel_requested`;
      return row?.cancel_requested === true;
    },
    end: async (
      id: string,
      state: OperationState,
      { done, failed, total }: Progress,
      failures: readonly Failure[],
    ): Promise<void> => {
      await sql`
        update ocean.operations set state = ${state}, done = ${done}, failed = ${failed}, total = ${total ?? null},
          failures = ${sql.json(failures.map(({ key, code, message }) => ({ key, code, message })))}, ended_at = now()
        where id = ${id} and state = 'RUNNING'`;
    },
    find: async (subject: string, id: string): Promise<Operation | undefined> => {
      const [row] = await sql<OperationRow[]>`
        select ${columns} from ocean.operations where id = ${id} and subject = ${subject}`;
      return row === undefined ? undefined : operationOf(row);
    },
    /** Of those that are kept still, by id; whose they are is for the caller to know. */
    findAll: async (ids: readonly string[]): Promise<ReadonlyMap<string, Operation>> => {
      const rows = await sql<OperationRow[]>`select ${columns} from ocean.operations where id = any(${ids})`;
      return new Map(rows.map((row) => [row.id, operationOf(row)]));
    },
    /** Those of the last hour, the newest first. */
    recent: async (subject: string, limit: number): Promise<readonly Operation[]> => {
      const rows = await sql<OperationRow[]>`
        select ${columns} from ocean.operations
        where subject = ${subject} and created_at > now() - interval '1 hour' order by created_at desc limit ${limit}`;
      return rows.map(operationOf);
    },
    requestCancel: async (subject: string, id: string): Promise<void> => {
      await sql`update ocean.operations set cancel_requested = true where id = ${id} and subject = ${subject}`;
    },
    countRunning: async (subject: string): Promise<number> => {
      const [row] = await sql<{ count: string }[]>`
        select count(*) from ocean.operations where subject = ${subject} and state = 'RUNNING'
          and seen_at > now() - make_interval(secs => ${livesForSeconds})`;
      return Number(row?.count ?? 0);
    },
    forgetOldOperations: async (): Promise<void> => {
      await sql`delete from ocean.operations where created_at < now() - interval '7 days'`;
    },

    keepTrash: async (entry: {
      readonly id: string;
      readonly bucket: string;
      readonly name: string;
      readonly items: number;
      readonly deletedBy: string;
    }): Promise<void> => {
      await sql`
        insert into ocean.trash (id, bucket, name, items, deleted_by)
        values (${entry.id}, ${entry.bucket}, ${Buffer.from(entry.name)}::bytea, ${entry.items}, ${entry.deletedBy})
        on conflict (id) do nothing`;
    },
    listTrash: async (
      bucket: string,
      after: { readonly deletedAt: Date; readonly id: string } | undefined,
      limit: number,
    ): Promise<readonly TrashEntry[]> => {
      const rows = await sql<TrashRow[]>`
        select id, bucket, name, items, deleted_by, deleted_at from ocean.trash
        where bucket = ${bucket} ${
          after === undefined
            ? sql``
            : sql`and (date_trunc('milliseconds', deleted_at), id) < (${after.deletedAt}, ${after.id})`
        }
        order by date_trunc('milliseconds', deleted_at) desc, id desc limit ${limit}`;
      return rows.map(trashOf);
    },
    findTrash: async (bucket: string, id: string): Promise<TrashEntry | undefined> => {
      const [row] = await sql<TrashRow[]>`
        select id, bucket, name, items, deleted_by, deleted_at from ocean.trash where bucket = ${bucket} and id = ${id}`;
      return row === undefined ? undefined : trashOf(row);
    },
    forgetTrash: async (id: string): Promise<void> => {
      await sql`delete from ocean.trash where id = ${id}`;
    },
    forgetTrashOf: async (bucket: string): Promise<void> => {
      await sql`delete from ocean.trash where bucket = ${bucket}`;
    },
    trashOlderThan: async (
      days: number,
      limit: number,
    ): Promise<readonly { readonly id: string; readonly bucket: string }[]> => sql<
      { id: string; bucket: string }[]
    >`
        select id, bucket from ocean.trash where deleted_at < now() - make_interval(days => ${days})
        order by deleted_at limit ${limit}`,
  };
}

interface TrashRow {
  readonly id: string;
  readonly bucket: string;
  readonly name: Buffer;
  readonly items: number;
  readonly deleted_by: string;
  readonly deleted_at: Date;
}

const trashOf = (row: TrashRow): TrashEntry => ({
  id: row.id,
  name: row.name.toString(),
  items: row.items,
  deletedBy: row.deleted_by,
  deletedAt: row.deleted_at,
});

const interrupted: Failure = {
  key: '',
  code: 'operation_interrupted',
  message: 'The platform was restarted in the middle. What was done stays done; do the rest again.',
};

function operationOf(row: OperationRow): Operation {
  return {
    ...{ id: row.id, subject: row.subject, kind: row.kind, bucket: row.bucket },
    state: row.is_lost ? 'FAILED' : row.state,
    done: row.done,
    failed: row.failed,
    total: row.total ?? undefined,
    failures: row.is_lost ? [interrupted] : row.failures,
    trashId: row.trash_id ?? undefined,
    createdAt: row.created_at,
    endedAt: row.ended_at ?? undefined,
  };
}

import { cutList, type ListQuery, type ListSpec } from '@haic/kit/filter/list.ts';
import { filterFragment, listFragments } from '@haic/platform/database/filter.ts';
import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import { type WorkspaceRole, workspaceRoles } from './client.ts';
import {
  globalId,
  type Workspace,
  type WorkspaceFields,
  type WorkspaceKind,
  type WorkspaceView,
} from './model.ts';

type Reader = Sql | TransactionSql;

interface Row {
  id: string;
  kind: WorkspaceKind;
  display_name: string;
  description: string;
  annotations: Record<string, string>;
  personal_subject: string | null;
  creator: string;
  created_at: Date;
  updater: string | null;
  updated_at: Date;
  deleter: string | null;
  deleted_at: Date | null;
  purge_at: Date | null;
  revision: number;
  /** Place in `workspaceRoles`, from 1; 0 and null for none. */
  rank: number | null;
}

const viewOf = (row: Row): WorkspaceView => ({
  id: row.id,
  kind: row.kind,
  displayName: row.display_name,
  description: row.description,
  annotations: row.annotations,
  personalSubject: row.personal_subject ?? undefined,
  creator: row.creator,
  createdAt: row.created_at,
  updater: row.updater ?? undefined,
  updatedAt: row.updated_at,
  deletion:
    row.deleted_at === null || row.purge_at === null
      ? undefined
      : { by: row.deleter ?? '', at: row.deleted_at, purgeAt: row.purge_at },
  revision: row.revision,
  role: roleOf(row.rank),
});

const roleOf = (rank: number | null): WorkspaceRole | undefined =>
  rank === null ? undefined : workspaceRoles[rank - 1];

/** Which ones: those of the members, the global one where it is theirs too, or all; active, or deleted ones that they own. */
export interface Selection {
  readonly members: readonly string[];
  readonly withGlobal: boolean;
  readonly all: boolean;
  readonly deleted: boolean;
}

/** What lists of workspaces are filtered and sorted by. */
export const workspaceList = {
  fields: {
    uid: { type: 'text' },
    display_name: { type: 'text' },
    description: { type: 'text' },
    create_time: { type: 'timestamp' },
    update_time: { type: 'timestamp' },
    delete_time: { type: 'timestamp', nullable: true },
    purge_time: { type: 'timestamp', nullable: true },
    creator: { type: 'text' },
    updater: { type: 'text', nullable: true },
    deleter: { type: 'text', nullable: true },
    personal_workspace_subject: { type: 'text', nullable: true },
  },
  unique: 'uid',
  usualOrder: 'create_time desc',
} as const satisfies ListSpec;

export type WorkspaceQuery = ListQuery<typeof workspaceList>;

export interface WorkspacePage {
  readonly items: readonly WorkspaceView[];
  /** `''` on the last one. */
  readonly nextPageToken: string;
}

export type WorkspaceStore = ReturnType<typeof createWorkspaceStore>;

export function createWorkspaceStore(database: Database) {
  const { sql } = database;
  const columns = sql`w.id, w.kind, w.display_name, w.description, w.annotations, w.personal_subject, w.creator,
    w.created_at, w.updater, w.updated_at, w.deleter, w.deleted_at, w.purge_at, w.revision::int as revision`;
  const rankOf = (members: readonly string[]) => sql`
    select workspace_id, array_position(${[...workspaceRoles]}::text[], role) as rank
    from workspaces.members where member = any(${[...members]})`;

  /** Led by what somebody is in, which is little of what there is. In the global one they are with nothing given to them (rank 0). */
  const selected = ({ members, withGlobal, all, deleted }: Selection) => sql`
    from workspaces.workspaces w ${all ? sql`left join` : sql`join`} (
      select workspace_id, max(rank) as rank from (
        ${rankOf(members)} union all select ${globalId}::uuid, 0 where ${withGlobal}
      ) as given group by workspace_id
    ) mine on mine.workspace_id = w.id
    where w.deleted_at is ${deleted ? sql`not null` : sql`null`}
      ${deleted && !all ? sql`and mine.rank = ${workspaceRoles.length}` : sql``}`;

  const fields = () => ({
    ...{ uid: sql`w.id::text`, display_name: sql`w.display_name`, description: sql`w.description` },
    ...{ create_time: sql`w.created_at`, update_time: sql`w.updated_at`, delete_time: sql`w.deleted_at` },
    ...{
      purge_time: sql`w.purge_at`,
      creator: sql`w.creator`,
      updater: sql`w.updater`,
      deleter: sql`w.deleter`,
    },
    personal_workspace_subject: sql`w.personal_subject`,
  });

  const find = async (id: string, members: readonly string[], reader: Reader) => {
    const [row] = await reader<Row[]>`
      select ${columns}, (select max(rank) from (${rankOf(members)}) mine where mine.workspace_id = w.id) as rank
      from workspaces.workspaces w where w.id = ${id}`;
    return row === undefined ? undefined : viewOf(row);
  };

  return {
    get: (id: string, members: readonly string[], reader: Reader = sql): Promise<WorkspaceView | undefined> =>
      find(id, members, reader),
    /**
     * What is decided about it, or about its members, stays true until the transaction ends. Read by a statement of its own, after the lock is
     * there: one that waits for a lock reads other tables as they were before.
     */
    lock: async (
      id: string,
      members: readonly string[],
      writer: TransactionSql,
    ): Promise<WorkspaceView | undefined> => {
      await writer`select 1 from workspaces.workspaces where id = ${id} for update`;
      return find(id, members, writer);
    },
    page: async (selection: Selection, query: WorkspaceQuery): Promise<WorkspacePage> => {
      const asked = listFragments(sql, query, fields());
      const rows = await sql<(Row & { keys: (string | null)[] })[]>`
        select ${columns}, mine.rank, ${asked.keys} as keys ${selected(selection)} and ${asked.where}
        order by ${asked.order} limit ${asked.limit}`;
      const { items, nextPageToken } = cutList(query, rows, ({ keys }) => keys);
      return { items: items.map(viewOf), nextPageToken };
    },
    count: async (selection: Selection, query: WorkspaceQuery): Promise<number> => {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count ${selected(selection)} and ${filterFragment(sql, query, fields())}`;
      return row?.count ?? 0;
    },
    /** Of all that somebody is in; the kinds, because some roles come with them. */
    rolesOf: async (selection: Selection) => {
      const rows = await sql<Pick<Row, 'id' | 'kind' | 'rank'>[]>`
        select w.id, w.kind, mine.rank ${selected(selection)} order by w.created_at desc, w.id desc`;
      return rows.map(({ id, kind, rank }) => ({ id, kind, role: roleOf(rank) }));
    },
    personalOf: async (subject: string, reader: Reader = sql): Promise<string | undefined> => {
      const [row] = await reader<{ id: string }[]>`
        select id from workspaces.workspaces where personal_subject = ${subject}`;
      return row?.id;
    },
    /** False when there is a personal one of that subject already. */
    insert: async (
      workspace: Pick<Workspace, 'id' | 'kind' | 'personalSubject' | 'creator' | 'createdAt'> &
        WorkspaceFields,
      writer: TransactionSql,
    ): Promise<boolean> => {
      const { id, kind, displayName, description, annotations, creator, createdAt } = workspace;
      const made = await writer`
        insert into workspaces.workspaces (id, kind, display_name, description, annotations, personal_subject,
          creator, created_at, updated_at)
        values (${id}, ${kind}, ${displayName}, ${description}, ${sql.json({ ...annotations })},
          ${workspace.personalSubject ?? null}, ${creator}, ${createdAt}, ${createdAt})
        on conflict (personal_subject) where personal_subject is not null do nothing`;
      return made.count === 1;
    },
    update: async (id: string, fields: WorkspaceFields, by: string, at: Date, writer: TransactionSql) => {
      await writer`
        update workspaces.workspaces set display_name = ${fields.displayName}, description = ${fields.description},
          annotations = ${sql.json({ ...fields.annotations })}, updater = ${by}, updated_at = ${at},
          revision = revision + 1
        where id = ${id}`;
    },
    /** It is a shared one then, like any other. */
    stopBeingPersonal: async (id: string, writer: TransactionSql) => {
      await writer`
        update workspaces.workspaces set kind = 'shared', personal_subject = null, revision = revision + 1
        where id = ${id} and kind = 'personal'`;
    },
    markDeleted: async (id: string, by: string, at: Date, purgeAt: Date, writer: TransactionSql) => {
      await writer`
        update workspaces.workspaces set deleter = ${by}, deleted_at = ${at}, purge_at = ${purgeAt},
          revision = revision + 1
        where id = ${id}`;
    },
    restore: async (id: string, by: string, at: Date, writer: TransactionSql) => {
      await writer`
        update workspaces.workspaces set deleter = null, deleted_at = null, purge_at = null, updater = ${by},
          updated_at = ${at}, revision = revision + 1
        where id = ${id}`;
    },
    toPurge: async (now: Date): Promise<readonly string[]> => {
      const rows = await sql<{ id: string }[]>`
        select id from workspaces.workspaces where purge_at <= ${now} order by purge_at limit 100`;
      return rows.map(({ id }) => id);
    },
    remove: async (id: string, writer: TransactionSql) => {
      await writer`delete from workspaces.workspaces where id = ${id}`;
    },
  };
}

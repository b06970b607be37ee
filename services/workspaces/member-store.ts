import { cutList, type ListQuery, type ListSpec } from '@haic/kit/filter/list.ts';
import { listFragments } from '@haic/platform/database/filter.ts';
import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import type { WorkspaceRole } from './client.ts';
import { type Member, subjectOf } from './model.ts';

type Reader = Sql | TransactionSql;

interface Row {
  id: string;
  member: string;
  role: WorkspaceRole;
  creator: string;
  created_at: Date;
  updater: string;
  updated_at: Date;
  revision: number;
}

const memberOf = (row: Row): Member => ({
  id: row.id,
  member: row.member,
  role: row.role,
  creator: row.creator,
  createdAt: row.created_at,
  updater: row.updater,
  updatedAt: row.updated_at,
  revision: row.revision,
});

/** In the order in which they came. */
export const memberList = {
  fields: { create_time: { type: 'timestamp' }, uid: { type: 'text' } },
  unique: 'uid',
  usualOrder: 'create_time',
} as const satisfies ListSpec;

export type MemberQuery = ListQuery<typeof memberList>;

export type MemberStore = ReturnType<typeof createMemberStore>;

export function createMemberStore(database: Database) {
  const { sql } = database;
  const columns = sql`id, member, role, creator, created_at, updater, updated_at, revision::int as revision`;
  const one = async (rows: Promise<Row[]>) => {
    const [row] = await rows;
    return row === undefined ? undefined : memberOf(row);
  };
  return {
    get: (workspace: string, id: string, reader: Reader = sql): Promise<Member | undefined> =>
      one(reader<Row[]>`
        select ${columns} from workspaces.members where workspace_id = ${workspace} and id = ${id}`),
    find: (workspace: string, member: string, reader: Reader = sql): Promise<Member | undefined> =>
      one(reader<Row[]>`
        select ${columns} from workspaces.members where workspace_id = ${workspace} and member = ${member}`),
    page: async (
      workspace: string,
      query: MemberQuery,
    ): Promise<{ readonly items: readonly Member[]; readonly nextPageToken: string }> => {
      const asked = listFragments(sql, query, { create_time: sql`created_at`, uid: sql`id::text` });
      const rows = await sql<(Row & { keys: (string | null)[] })[]>`
        select ${columns}, ${asked.keys} as keys from workspaces.members
        where workspace_id = ${workspace} and ${asked.where} order by ${asked.order} limit ${asked.limit}`;
      const { items, nextPageToken } = cutList(query, rows, ({ keys }) => keys);
      return { items: items.map(memberOf), nextPageToken };
    },
    /** Undefined when it is one already. */
    insert: (
      workspace: string,
      member: Pick<Member, 'id' | 'member' | 'role' | 'creator' | 'createdAt'>,
      writer: TransactionSql,
    ): Promise<Member | undefined> =>
      one(writer<Row[]>`
        insert into workspaces.members (id, workspace_id, member, role, creator, created_at, updater, updated_at)
        values (${member.id}, ${workspace}, ${member.member}, ${member.role}, ${member.creator},
          ${member.createdAt}, ${member.creator}, ${member.createdAt})
        on conflict (workspace_id, member) do nothing returning ${columns}`),
    setRole: (
      id: string,
      role: WorkspaceRole,
      by: string,
      at: Date,
      writer: TransactionSql,
    ): Promise<Member | undefined> =>
      one(writer<Row[]>`
        update workspaces.members set role = ${role}, updater = ${by}, updated_at = ${at}, revision = revision + 1
        where id = ${id} returning ${columns}`),
    remove: async (id: string, writer: TransactionSql) => {
      await writer`delete from workspaces.members where id = ${id}`;
    },
    /** Subjects of the people and service accounts that own it. A group does not count: nobody may be in it. */
    owners: async (workspace: string, reader: Reader = sql): Promise<readonly string[]> => {
      const rows = await reader<{ member: string }[]>`
        select member from workspaces.members
        where workspace_id = ${workspace} and role = 'owner' and member like 'users/%'`;
      return rows.flatMap(({ member }) => subjectOf(member) ?? []);
    },
  };
}

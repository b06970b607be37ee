import type { Database, TransactionSql } from '@haic/platform/database/port.ts';
import type { Group } from './model.ts';
import { isUuid } from './store.ts';

interface GroupRow {
  id: string;
  name: string;
  created_at: Date;
  members: number;
  service_accounts: number;
}

const groupOf = (row: GroupRow): Group => ({
  id: row.id,
  name: row.name,
  members: row.members,
  serviceAccounts: row.service_accounts,
  createdAt: row.created_at,
});

export interface GroupsFilter {
  /** Part of the name; '' for all. */
  readonly text: string;
  readonly after: string;
  readonly limit: number;
}

export type GroupStore = ReturnType<typeof createGroupStore>;

export function createGroupStore(database: Database) {
  const { sql } = database;
  const columns = sql`id, name, created_at,
    (select count(*)::int from identity.people where groups @> array[groups_.name]) as members,
    (select count(*)::int from identity.service_accounts where groups @> array[groups_.name]) as service_accounts`;

  /** Locked, so that nobody joins a group under a name that it is losing. Undefined when it is gone. */
  async function lock(id: string, transaction: TransactionSql): Promise<string | undefined> {
    const [row] = await transaction<{ name: string }[]>`
      select name from identity.groups where id = ${id} for update`;
    return row?.name;
  }

  return {
    get: async (id: string): Promise<Group | undefined> => {
      if (!isUuid(id)) return undefined;
      const [row] = await sql<GroupRow[]>`select ${columns} from identity.groups as groups_ where id = ${id}`;
      return row === undefined ? undefined : groupOf(row);
    },
    /** By name. */
    page: async ({ text, after, limit }: GroupsFilter): Promise<readonly Group[]> => {
      const rows = await sql<GroupRow[]>`
        select ${columns} from identity.groups as groups_
        where name collate "C" > ${after} and (${text} = '' or strpos(lower(name), ${text.toLowerCase()}) > 0)
        order by name collate "C" limit ${limit}`;
      return rows.map(groupOf);
    },
    /** Undefined when there is one already, or one that differs from it in upper and lower case only. */
    insert: async (name: string): Promise<Group | undefined> => {
      const [row] = await sql<GroupRow[]>`
        insert into identity.groups (name) select ${name}
        where not exists (select 1 from identity.groups where lower(name) = lower(${name}))
        on conflict do nothing
        returning id, name, created_at, 0 as members, 0 as service_accounts`;
      return row === undefined ? undefined : groupOf(row);
    },
    /** With everybody in it. */
    rename: (id: string, name: string): Promise<'done' | 'gone' | 'taken'> =>
      database.transaction(async (transaction) => {
        const before = await lock(id, transaction);
        if (before === undefined) return 'gone';
        const [other] = await transaction`
          select 1 from identity.groups where lower(name) = lower(${name}) and id <> ${id}`;
        if (other !== undefined) return 'taken';
        await transaction`update identity.groups set name = ${name} where id = ${id}`;
        await transaction`
          update identity.people set updated_at = now(),
            groups = array(select label from unnest(array_replace(groups, ${before}, ${name})) as label order by label)
          where groups @> ${[before]}::text[]`;
        await transaction`
          update identity.service_accounts
          set groups = array(select label from unnest(array_replace(groups, ${before}, ${name})) as label order by label)
          where groups @> ${[before]}::text[]`;
        return 'done';
      }),
    /** Takes everybody out of it. */
    remove: (id: string): Promise<void> =>
      database.transaction(async (transaction) => {
        const name = await lock(id, transaction);
        if (name === undefined) return;
        await transaction`
          update identity.people set groups = array_remove(groups, ${name}), updated_at = now()
          where groups @> ${[name]}::text[]`;
        await transaction`
          update identity.service_accounts set groups = array_remove(groups, ${name})
          where groups @> ${[name]}::text[]`;
        await transaction`delete from identity.groups where id = ${id}`;
      }),
    /** Runs a change of its members while its name stays. */
    withName: <T>(id: string, work: (name: string | undefined, writer: TransactionSql) => Promise<T>) =>
      database.transaction(async (transaction) => work(await lock(id, transaction), transaction)),
  };
}

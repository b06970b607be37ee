import type { Database } from '@haic/platform/database/port.ts';
import type { IdentityPerson, PeopleDirectory } from './client.ts';

interface Row extends Omit<IdentityPerson, 'roles' | 'groups'> {
  readonly roles: string[];
  readonly groups: string[];
}

/** Everybody whom Haic's own issuer knows. */
export function createDirectory(database: Database): PeopleDirectory {
  const { sql } = database;
  const everybody = sql`
    select id::text as subject, username, name, email, roles, groups, disabled from identity.people
    union all
    select a.id::text, a.name, a.name, '', a.roles, a.groups,
      a.disabled or coalesce(a.expires_at <= now(), false) or coalesce(o.disabled, true)
    from identity.service_accounts a left join identity.people o on o.id = a.owner_id`;
  return {
    findPeople: (subjects) =>
      sql<Row[]>`select * from (${everybody}) as known where subject = any(${[...subjects]})`,
    listPeople: ({ text, after, limit }) => sql<Row[]>`
      select * from (${everybody}) as known
      where (strpos(username, ${text.toLowerCase()}) > 0 or strpos(lower(name), ${text.toLowerCase()}) > 0)
        ${after === undefined ? sql`` : sql`and username collate "C" > ${after.username}`}
      order by username collate "C" limit ${limit}`,
    listGroups: async ({ text, after, limit }) => {
      const rows = await sql<{ name: string }[]>`
        select name from identity.groups
        where strpos(lower(name), ${text.toLowerCase()}) > 0
          ${after === undefined ? sql`` : sql`and name collate "C" > ${after}`}
        order by name collate "C" limit ${limit}`;
      return rows.map(({ name }) => name);
    },
    hasGroup: async (name) => {
      const rows = await sql`select 1 from identity.groups where name = ${name}`;
      return rows.length > 0;
    },
    goneAmong: async (subjects) => {
      const active = await sql<{ subject: string }[]>`
        select subject from (${everybody}) as known where subject = any(${[...subjects]}) and not disabled`;
      const stay = new Set(active.map(({ subject }) => subject));
      return subjects.filter((subject) => !stay.has(subject));
    },
  };
}

import { open, seal } from '@haic/kit/keys.ts';
import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import { type LabelChange, type LabelKind, labelAssignment } from './labels.ts';
import type { AppClient, NewPerson, Person, PersonChanges, PersonWithPassword } from './model.ts';

type Reader = Sql | TransactionSql;

interface PersonRow {
  id: string;
  username: string;
  name: string;
  email: string;
  password_hash: string | null;
  roles: string[];
  groups: string[];
  disabled: boolean;
  created_at: Date;
  last_sign_in_at: Date | null;
}

const personOf = (row: PersonRow): PersonWithPassword => ({
  id: row.id,
  username: row.username,
  name: row.name,
  email: row.email,
  passwordHash: row.password_hash ?? undefined,
  roles: row.roles,
  groups: row.groups,
  disabled: row.disabled,
  createdAt: row.created_at,
  lastSignInAt: row.last_sign_in_at ?? undefined,
});

/** A stretch of the list of people, by user name. */
export interface PeopleFilter {
  /** Part of the user name, name or e-mail address, or a whole role or group; '' for everybody. */
  readonly text: string;
  /** Only who has exactly this role, or is in exactly this group. */
  readonly role?: string | undefined;
  readonly group?: string | undefined;
  readonly after: string;
  readonly limit: number;
}

export type PeopleStore = ReturnType<typeof createPeopleStore>;

export function createPeopleStore(database: Database) {
  const { sql } = database;
  const one = async (rows: Promise<PersonRow[]>) => {
    const [row] = await rows;
    return row === undefined ? undefined : personOf(row);
  };
  return {
    byId: (id: string, reader: Reader = sql) =>
      isUuid(id)
        ? one(reader<PersonRow[]>`select * from identity.people where id = ${id}`)
        : Promise.resolve(undefined),
    byUsername: (username: string) =>
      one(sql<PersonRow[]>`select * from identity.people where username = ${username}`),
    list: async (): Promise<readonly Person[]> =>
      (await sql<PersonRow[]>`select * from identity.people order by username`).map(personOf),
    /** Those of the ids that belong to somebody who may sign in. */
    activeAmong: async (ids: readonly string[]): Promise<readonly string[]> => {
      const rows = await sql<{ id: string }[]>`
        select id from identity.people where id = any(${ids.filter(isUuid)}::uuid[]) and not disabled`;
      return rows.map((row) => row.id);
    },
    page: async ({ text, role, group, after, limit }: PeopleFilter): Promise<readonly Person[]> => {
      const wanted = text.toLowerCase();
      const rows = await sql<PersonRow[]>`
        select * from identity.people
        where username > ${after} and (${wanted} = ''
          or strpos(username, ${wanted}) > 0 or strpos(lower(name), ${wanted}) > 0
          or strpos(lower(email), ${wanted}) > 0
          or exists (select 1 from unnest(roles || groups) as label where lower(label) = ${wanted}))
          ${role === undefined ? sql`` : sql`and roles @> ${[role]}::text[]`}
          ${group === undefined ? sql`` : sql`and groups @> ${[group]}::text[]`}
        order by username limit ${limit}`;
      return rows.map(personOf);
    },
    /** Undefined when the user name is taken. Without a password, who signs in through another provider only. */
    insert: (
      id: string,
      person: Required<NewPerson>,
      passwordHash: string | undefined,
      writer: Reader = sql,
    ) =>
      one(writer<PersonRow[]>`
        with ${knownGroups(sql, person.groups)}
        insert into identity.people (id, username, name, email, password_hash, roles, groups)
        select ${id}, ${person.username}, ${person.name}, ${person.email}, ${passwordHash ?? null},
          ${[...person.roles]}::text[], ${[...person.groups]}::text[]
        where not exists (select 1 from identity.service_accounts where name = ${person.username})
        on conflict (username) do nothing returning *`),
    update: (id: string, changes: PersonChanges, writer: Reader = sql) =>
      one(writer<PersonRow[]>`
        with ${knownGroups(sql, changes.groups ?? [])}
        update identity.people set
          name = coalesce(${changes.name ?? null}, name),
          email = coalesce(${changes.email ?? null}, email),
          roles = coalesce(${changes.roles === undefined ? null : [...changes.roles]}::text[], roles),
          groups = coalesce(${changes.groups === undefined ? null : [...changes.groups]}::text[], groups),
          disabled = coalesce(${changes.disabled ?? null}, disabled),
          updated_at = now()
        where id = ${id} returning *`),
    /** Adds or takes one label and leaves the others, so that two administrators at once lose nothing of each other's. */
    changeLabel: (id: string, kind: LabelKind, change: LabelChange, writer: Reader = sql) => {
      return one(writer<PersonRow[]>`
        update identity.people set ${labelAssignment(sql, kind, change)}, updated_at = now() where id = ${id} returning *`);
    },
    /** Each role that somebody has, with how many do. */
    countByRole: async (): Promise<ReadonlyMap<string, number>> => {
      const rows = await sql<{ role: string; members: number }[]>`
        select role, count(*)::int as members from identity.people, unnest(roles) as role group by role`;
      return new Map(rows.map(({ role, members }) => [role, members]));
    },
    signedIn: async (id: string) => {
      await sql`update identity.people set last_sign_in_at = now() where id = ${id}`;
    },
    setPassword: async (id: string, passwordHash: string) => {
      await sql`update identity.people set password_hash = ${passwordHash}, updated_at = now() where id = ${id}`;
    },
    remove: async (id: string, writer: Reader = sql) => {
      await writer`delete from identity.people where id = ${id}`;
    },
    /**
     * Runs a change and keeps it only if an enabled administrator is left. One at a time, so that two administrators who remove each
     * other at the same instant do not both succeed.
     */
    keepingAnAdministrator: <T>(change: (writer: TransactionSql) => Promise<T>, refused: () => Error) =>
      database.transaction(async (transaction) => {
        await transaction`select pg_advisory_xact_lock(hashtextextended('identity.administrators', 0))`;
        const result = await change(transaction);
        const [left] = await transaction`
          select 1 from identity.people where 'admin' = any(roles) and not disabled limit 1`;
        if (left === undefined) throw refused();
        return result;
      }),
  };
}

/** Whoever is put into a group that is new makes it. */
const knownGroups = (sql: Sql, names: readonly string[]) => sql`made as (
          insert into identity.groups (name) select unnest(${[...names]}::text[]) on conflict do nothing)`;

interface AppClientRow {
  instance_id: string;
  app_id: string | null;
  client_id: string;
  name: string;
  redirect_uri: string;
  post_logout_redirect_uri: string;
  sealed_secret: Buffer;
}

export type AppClientStore = ReturnType<typeof createAppClientStore>;

/** Client secrets must be compared in the clear by the provider, so they are sealed and not hashed. */
export function createAppClientStore(database: Database, key: Buffer) {
  const { sql } = database;
  return {
    put: async (client: AppClient) => {
      const sealed = seal(key, client.clientSecret, client.clientId);
      await sql`
        insert into identity.app_clients
          (instance_id, app_id, client_id, name, redirect_uri, post_logout_redirect_uri, sealed_secret)
        values (${client.instanceId}, ${client.appId}, ${client.clientId}, ${client.name}, ${client.redirectUri},
          ${client.postLogoutRedirectUri}, ${sealed})
        on conflict (instance_id) do update set app_id = excluded.app_id, name = excluded.name, redirect_uri = excluded.redirect_uri,
          post_logout_redirect_uri = excluded.post_logout_redirect_uri, sealed_secret = excluded.sealed_secret`;
    },
    byClientId: async (clientId: string): Promise<AppClient | undefined> => {
      const [row] = await sql<AppClientRow[]>`
        select * from identity.app_clients where client_id = ${clientId}`;
      if (row === undefined) return undefined;
      return {
        instanceId: row.instance_id,
        appId: row.app_id ?? '',
        clientId: row.client_id,
        name: row.name,
        redirectUri: row.redirect_uri,
        postLogoutRedirectUri: row.post_logout_redirect_uri,
        clientSecret: open(key, row.sealed_secret, row.client_id).toString(),
      };
    },
    /** The app of an instance; undefined when the instance has no client. */
    appOf: async (instanceId: string): Promise<string | undefined> => {
      const [row] = await sql<{ app_id: string | null }[]>`
        select app_id from identity.app_clients where instance_id = ${instanceId}`;
      return row?.app_id ?? undefined;
    },
    list: async (): Promise<readonly string[]> => {
      const rows = await sql<{ instance_id: string }[]>`
        select instance_id from identity.app_clients order by instance_id`;
      return rows.map((row) => row.instance_id);
    },
    remove: async (instanceId: string) => {
      await sql`delete from identity.app_clients where instance_id = ${instanceId}`;
    },
  };
}

export const isUuid = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import { type LabelChange, type LabelKind, labelAssignment } from '../labels.ts';
import type { ServiceAccount, ServiceAccountState } from './model.ts';

interface Row {
  id: string;
  name: string;
  description: string;
  owner_id: string;
  owner_username: string | null;
  roles: string[];
  groups: string[];
  disabled: boolean;
  expires_at: Date | null;
  created_at: Date;
  last_used_at: Date | null;
  state: ServiceAccountState;
  secret_created_at: Date | null;
  earlier_secret_ends_at: Date | null;
}

const accountOf = (row: Row): ServiceAccount => ({
  id: row.id,
  name: row.name,
  description: row.description,
  owner: { id: row.owner_id, username: row.owner_username ?? undefined },
  roles: row.roles,
  groups: row.groups,
  disabled: row.disabled,
  expiresAt: row.expires_at ?? undefined,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at ?? undefined,
  state: row.state,
  secretCreatedAt: row.secret_created_at ?? undefined,
  earlierSecretEndsAt: row.earlier_secret_ends_at ?? undefined,
});

export interface AccountsFilter {
  /** Part of the name or description, or a whole role, group or owner; '' for all. */
  readonly text: string;
  /** Only what has exactly this role, or is in exactly this group. */
  readonly role?: string | undefined;
  readonly group?: string | undefined;
  readonly after: string;
  readonly limit: number;
}

export interface AccountFields {
  readonly description: string;
  readonly ownerId: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly expiresAt: Date | undefined;
}

export type ServiceAccountStore = ReturnType<typeof createServiceAccountStore>;

export function createServiceAccountStore(database: Database) {
  const { sql } = database;
  const accounts = sql`
    select a.*, o.username as owner_username,
      case when a.disabled then 'DISABLED' when a.expires_at <= now() then 'EXPIRED'
        when o.id is null or o.disabled then 'OWNER_UNAVAILABLE' else 'ACTIVE' end as state,
      (select max(s.created_at) from identity.service_account_secrets s
        where s.account_id = a.id and s.ends_at is null) as secret_created_at,
      (select max(s.ends_at) from identity.service_account_secrets s
        where s.account_id = a.id and s.ends_at > now()) as earlier_secret_ends_at
    from identity.service_accounts a left join identity.people o on o.id = a.owner_id`;

  const one = async (where: ReturnType<Sql>): Promise<ServiceAccount | undefined> => {
    const [row] = await sql<Row[]>`${accounts} where ${where}`;
    return row === undefined ? undefined : accountOf(row);
  };

  return {
    byId: (id: string) => one(sql`a.id::text = ${id}`),
    byName: (name: string) => one(sql`a.name = ${name}`),
    ownedBy: async (personId: string): Promise<readonly ServiceAccount[]> =>
      (await sql<Row[]>`${accounts} where a.owner_id::text = ${personId}`).map(accountOf),
    /** Those of the ids that belong to an account that gets tokens. */
    activeAmong: async (ids: readonly string[]): Promise<readonly string[]> => {
      const rows = await sql<{ id: string }[]>`
        select id from (${accounts}) as known where id::text = any(${[...ids]}) and state = 'ACTIVE'`;
      return rows.map(({ id }) => id);
    },
    page: async ({ text, role, group, after, limit }: AccountsFilter): Promise<readonly ServiceAccount[]> => {
      const wanted = text.toLowerCase();
      const rows = await sql<Row[]>`
        ${accounts} where a.name collate "C" > ${after} and (${wanted} = ''
          or strpos(a.name, ${wanted}) > 0 or strpos(lower(a.description), ${wanted}) > 0
          or o.username = ${wanted}
          or exists (select 1 from unnest(a.roles || a.groups) as label where lower(label) = ${wanted}))
          ${role === undefined ? sql`` : sql`and a.roles @> ${[role]}::text[]`}
          ${group === undefined ? sql`` : sql`and a.groups @> ${[group]}::text[]`}
        order by a.name collate "C" limit ${limit}`;
      return rows.map(accountOf);
    },
    /** Each role that some account has, with how many do. */
    countByRole: async (): Promise<ReadonlyMap<string, number>> => {
      const rows = await sql<{ role: string; members: number }[]>`
        select role, count(*)::int as members from identity.service_accounts, unnest(roles) as role group by role`;
      return new Map(rows.map(({ role, members }) => [role, members]));
    },
    /** Adds or takes one label and leaves the others. False when there is no such account. */
    changeLabel: async (
      name: string,
      kind: LabelKind,
      change: LabelChange,
      writer: Sql | TransactionSql = sql,
    ): Promise<boolean> => {
      const result = await writer`
        update identity.service_accounts set ${labelAssignment(sql, kind, change)} where name = ${name}`;
      return result.count === 1;
    },
    /** False when a person or an account has the name. */
    insert: (id: string, name: string, fields: AccountFields, secretHash: Buffer): Promise<boolean> =>
      database.transaction(async (transaction) => {
        const made = await transaction`
          insert into identity.service_accounts (id, name, description, owner_id, roles, groups, expires_at)
          select ${id}, ${name}, ${fields.description}, ${fields.ownerId}, ${[...fields.roles]},
            ${[...fields.groups]}, ${fields.expiresAt ?? null}
          where not exists (select 1 from identity.people where username = ${name})
          on conflict (name) do nothing`;
        if (made.count === 0) return false;
        await transaction`
          insert into identity.service_account_secrets (hash, account_id) values (${secretHash}, ${id})`;
        await transaction`
          insert into identity.groups (name) select unnest(${[...fields.groups]}::text[]) on conflict do nothing`;
        return true;
      }),
    update: (id: string, fields: AccountFields & { disabled: boolean }): Promise<void> =>
      database.transaction(async (transaction) => {
        await transaction`
          update identity.service_accounts set description = ${fields.description}, owner_id = ${fields.ownerId},
            roles = ${[...fields.roles]}, groups = ${[...fields.groups]}, disabled = ${fields.disabled},
            expires_at = ${fields.expiresAt ?? null}
          where id = ${id}`;
        await transaction`
          insert into identity.groups (name) select unnest(${[...fields.groups]}::text[]) on conflict do nothing`;
      }),
    /** The one that was good until now stays so until `earlierEndsAt`; one that was ending already ends at once. */
    rotate: (id: string, secretHash: Buffer, earlierEndsAt: Date): Promise<void> =>
      database.transaction(async (transaction) => {
        await transaction`select 1 from identity.service_accounts where id = ${id} for update`;
        await transaction`
          delete from identity.service_account_secrets where account_id = ${id} and ends_at is not null`;
        await transaction`
          update identity.service_account_secrets set ends_at = ${earlierEndsAt} where account_id = ${id}`;
        await transaction`
          insert into identity.service_account_secrets (hash, account_id) values (${secretHash}, ${id})`;
      }),
    /** Looked up by the hash of what was sent: nothing is compared that could be timed. */
    hasSecret: async (name: string, secretHash: Buffer): Promise<boolean> => {
      const rows = await sql`
        select 1 from identity.service_account_secrets s join identity.service_accounts a on a.id = s.account_id
        where s.hash = ${secretHash} and a.name = ${name} and (s.ends_at is null or s.ends_at > now())`;
      return rows.length === 1;
    },
    markUsed: async (name: string): Promise<void> => {
      await sql`update identity.service_accounts set last_used_at = now() where name = ${name}`;
    },
    remove: async (id: string): Promise<void> => {
      await sql`delete from identity.service_accounts where id = ${id}`;
    },
  };
}

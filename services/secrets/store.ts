import { randomUUID } from 'node:crypto';
import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import { type Deletion, type Secret, type SecretValues, type SecretVersion, secretName } from './model.ts';
import type { UnlockedVault, Vault } from './sealing/vault.ts';

/** PostgreSQL, schema `secrets`. Values go in and come out sealed; nothing here logs them. */
export type SecretStore = ReturnType<typeof createSecretStore>;

interface Row {
  uid: string;
  parent: string;
  id: string;
  display_name: string;
  annotations: Record<string, string>;
  creator: string;
  created_at: Date;
  deleter: string | null;
  deleted_at: Date | null;
  purge_at: Date | null;
}

interface VersionRow {
  uid: string;
  number: number;
  creator: string;
  created_at: Date;
}

/** A place in a list by ids. */
export interface IdPage {
  readonly after: string | undefined;
  readonly limit: number;
}

type Reader = Sql | TransactionSql;
type NewSecret = Pick<Secret, 'parent' | 'id' | 'displayName' | 'annotations' | 'creator' | 'createdAt'> & {
  readonly uid?: string | undefined;
};
type NewVersion = Pick<SecretVersion, 'creator' | 'createdAt'> & { readonly values: SecretValues };

export function createSecretStore(options: { readonly database: Database; readonly vault: Vault }) {
  const { database, vault } = options;
  const { sql } = database;
  const columns = sql`
    uid, parent, id, display_name, annotations, creator, created_at, deleter, deleted_at, purge_at`;

  const find = async (
    parent: string,
    id: string,
    reader: Reader = sql,
    lock = sql``,
  ): Promise<Secret | undefined> => {
    const [row] = await reader<Row[]>`
      select ${columns} from secrets.secrets where parent = ${parent} and id = ${id} ${lock}`;
    return row === undefined ? undefined : secretOf(row);
  };

  const versionAt = async (
    secret: Secret,
    number: number | 'latest',
    reader: Reader = sql,
  ): Promise<SecretVersion | undefined> => {
    const chosen = number === 'latest' ? sql`order by number desc limit 1` : sql`and number = ${number}`;
    const [row] = await reader<VersionRow[]>`
      select uid, number, creator, created_at from secrets.versions where secret = ${secret.uid} ${chosen}`;
    return row === undefined ? undefined : versionOf(secret, row);
  };

  const dataKeyOf = async (reader: Reader, unlocked: UnlockedVault, secret: Pick<Secret, 'uid'>) => {
    const [row] = await reader<{ data_key: string }[]>`
      select data_key from secrets.secrets where uid = ${secret.uid}`;
    return row === undefined ? undefined : unlocked.dataKey(reader, row.data_key);
  };

  return {
    transaction: database.transaction,
    /** A transaction in which something is sealed. */
    sealing: async <T>(work: (within: TransactionSql, vault: UnlockedVault) => Promise<T>): Promise<T> => {
      const unlocked = await vault.unlock();
      return database.transaction((within) => work(within, unlocked));
    },
    find,
    /** So that nobody else deletes it or adds a version before the transaction ends. */
    findForUpdate: (within: TransactionSql, parent: string, id: string) =>
      find(parent, id, within, sql`for update`),

    /** Undefined when the id is taken in that parent, by a deleted one too. */
    insert: async (
      within: TransactionSql,
      unlocked: UnlockedVault,
      secret: NewSecret,
    ): Promise<Secret | undefined> => {
      const key = await unlocked.newDataKey(within);
      const [row] = await within<Row[]>`
        insert into secrets.secrets (uid, parent, id, display_name, annotations, creator, created_at, data_key)
        values (${secret.uid ?? randomUUID()}, ${secret.parent}, ${secret.id}, ${secret.displayName},
          ${sql.json(secret.annotations)}, ${secret.creator}, ${secret.createdAt}, ${key.id})
        on conflict (parent, id) do nothing returning ${columns}`;
      if (row === undefined) await within`delete from secrets.data_keys where id = ${key.id}`;
      return row === undefined ? undefined : secretOf(row);
    },

    list: async (
      parent: string,
      { after, limit, showDeleted }: IdPage & { readonly showDeleted: boolean },
    ): Promise<readonly Secret[]> => {
      const rows = await sql<Row[]>`
        select ${columns} from secrets.secrets where parent = ${parent}
          ${showDeleted ? sql`` : sql`and deleted_at is null`}
          ${after === undefined ? sql`` : sql`and id > ${after}`}
        order by id limit ${limit}`;
      return rows.map(secretOf);
    },

    count: async (parent: string, showDeleted: boolean): Promise<number> => {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from secrets.secrets where parent = ${parent}
          ${showDeleted ? sql`` : sql`and deleted_at is null`}`;
      return row?.count ?? 0;
    },

    setDeletion: async (
      within: TransactionSql,
      secret: Secret,
      deletion: Deletion | undefined,
    ): Promise<Secret> => {
      const [row] = await within<Row[]>`
        update secrets.secrets set deleter = ${deletion?.by ?? null}, deleted_at = ${deletion?.at ?? null},
          purge_at = ${deletion?.purgeAt ?? null}
        where uid = ${secret.uid} returning ${columns}`;
      if (row === undefined) throw new Error(`${secretName(secret)} vanished while it was locked.`);
      return secretOf(row);
    },

    /** Removes what was deleted long enough ago, with its data keys: what is left of the values then opens by nothing. */
    purge: async (now: Date): Promise<number> => {
      const result = await sql`
        with gone as (
          delete from secrets.secrets where uid in (
            select uid from secrets.secrets where purge_at <= ${now} limit 1000 for update skip locked)
          returning data_key)
        delete from secrets.data_keys where id in (select data_key from gone)`;
      return result.count;
    },

    /** All that a workspace had. */
    purgeParent: async (parent: string): Promise<void> => {
      await sql`
        with gone as (delete from secrets.secrets where parent = ${parent} returning data_key)
        delete from secrets.data_keys where id in (select data_key from gone)`;
    },

    /** To be called with the secret locked. */
    addVersion: async (
      within: TransactionSql,
      unlocked: UnlockedVault,
      secret: Secret,
      version: NewVersion,
    ): Promise<SecretVersion> => {
      const key = await dataKeyOf(within, unlocked, secret);
      if (key === undefined) throw new Error(`${secretName(secret)} vanished while it was locked.`);
      const uid = randomUUID();
      const [row] = await within<VersionRow[]>`
        insert into secrets.versions (uid, secret, number, creator, created_at)
        select ${uid}, ${secret.uid}, coalesce(max(number), 0) + 1, ${version.creator}, ${version.createdAt}
        from secrets.versions where secret = ${secret.uid}
        returning uid, number, creator, created_at`;
      if (row === undefined) throw new Error('An insert without a condition inserted nothing.');
      for (const [name, value] of version.values)
        await within`
          insert into secrets.version_values (version, key, sealed)
          values (${uid}, ${name}, ${key.seal(value, contextOf(uid, name))})`;
      return versionOf(secret, row);
    },

    versionAt,

    /** The newest first; `before` is the number of the last one on the page before. */
    listVersions: async (
      secret: Secret,
      page: { readonly before: number | undefined; readonly limit: number },
    ): Promise<readonly SecretVersion[]> => {
      const rows = await sql<VersionRow[]>`
        select uid, number, creator, created_at from secrets.versions where secret = ${secret.uid}
          ${page.before === undefined ? sql`` : sql`and number < ${page.before}`}
        order by number desc limit ${page.limit}`;
      return rows.map((row) => versionOf(secret, row));
    },

    countVersions: async (secret: Secret): Promise<number> => {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from secrets.versions where secret = ${secret.uid}`;
      return row?.count ?? 0;
    },

    /** The names of its values, which are no secrets. */
    keysOf: async (version: Pick<SecretVersion, 'uid'>): Promise<readonly string[]> => {
      const rows = await sql<{ key: string }[]>`
        select key from secrets.version_values where version = ${version.uid} order by key`;
      return rows.map(({ key }) => key);
    },

    /** Opens one value. Undefined when the version has no such key. */
    open: async (
      secret: Pick<Secret, 'uid'>,
      version: Pick<SecretVersion, 'uid'>,
      key: string,
    ): Promise<Buffer | undefined> => {
      const [row] = await sql<{ sealed: Buffer }[]>`
        select sealed from secrets.version_values where version = ${version.uid} and key = ${key}`;
      const dataKey = row === undefined ? undefined : await dataKeyOf(sql, await vault.unlock(), secret);
      if (row === undefined || dataKey === undefined) return undefined;
      return dataKey.open(row.sealed, contextOf(version.uid, key));
    },
  };
}

const contextOf = (version: string, key: string): string => `value:${version}:${key}`;

const secretOf = (row: Row): Secret => ({
  uid: row.uid,
  parent: row.parent,
  id: row.id,
  displayName: row.display_name,
  annotations: row.annotations,
  creator: row.creator,
  createdAt: row.created_at,
  deleted:
    row.deleted_at === null || row.purge_at === null
      ? undefined
      : { by: row.deleter ?? '', at: row.deleted_at, purgeAt: row.purge_at },
});

const versionOf = (secret: Pick<Secret, 'parent' | 'id'>, row: VersionRow): SecretVersion => ({
  uid: row.uid,
  secret: { parent: secret.parent, id: secret.id },
  number: row.number,
  creator: row.creator,
  createdAt: row.created_at,
});

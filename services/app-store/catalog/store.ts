import { conflict } from '@haic/kit/errors.ts';
import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import type { App, AppAsset, AppOwner, Manifest, PreconditionProblem, Visibility } from './client.ts';
import { versionOrder } from './manifest/version-order.ts';
import { preconditionOf } from './preconditions.ts';

export interface NewApp extends Omit<App, 'updatedAt'> {
  readonly requirements: string | undefined;
  readonly packages: string | undefined;
}

/** Whose apps a list may show: the person's own and the shared ones, only their own, or (administrators) all. */
export interface AppScope {
  readonly subject: string;
  readonly everything: boolean;
  readonly ownOnly: boolean;
}

export interface ListQuery {
  readonly scope: AppScope;
  readonly query: string;
  /** Only the newest of the versions in scope. */
  readonly newestOnly: boolean;
  /** Only those that the checker found so. */
  readonly precondition?: 'PASSED' | 'FAILED' | undefined;
  /** Only those that carry it. */
  readonly tag?: string | undefined;
  /** Only what belongs to somebody of this user name. */
  readonly owner?: string | undefined;
  readonly visibility?: Visibility | undefined;
  readonly after: { readonly createdAt: Date; readonly id: string } | undefined;
  readonly limit: number;
}

export type AppStore = ReturnType<typeof createAppStore>;

interface Row {
  id: string;
  owner_subject: string;
  owner_username: string;
  importer_subject: string;
  importer_username: string;
  visibility: Visibility;
  manifest: Manifest;
  long_description: string;
  assets: AppAsset[];
  precondition_problems: PreconditionProblem[];
  precondition_checked_at: Date;
  bundle_sha256: string;
  bundle_size: string;
  created_at: Date;
  updated_at: Date;
}

interface VersionRow
  extends Pick<
    Row,
    | 'id'
    | 'owner_subject'
    | 'owner_username'
    | 'visibility'
    | 'created_at'
    | 'precondition_problems'
    | 'precondition_checked_at'
  > {
  version: string;
  lifecycle: Manifest['lifecycle'];
}

const columns = (
  sql: Sql,
) => sql`id, owner_subject, owner_username, importer_subject, importer_username, visibility, manifest, long_description, assets,
  precondition_problems, precondition_checked_at, bundle_sha256, bundle_size, created_at, updated_at`;

export function createAppStore(database: Database) {
  const { sql } = database;
  const inScope = (scope: AppScope) =>
    scope.ownOnly
      ? sql`owner_subject = ${scope.subject}`
      : sql`(${scope.everything} or owner_subject = ${scope.subject} or visibility in ('ALL_USERS', 'PUBLIC'))`;

  /** Throws when one more would be too many. */
  async function checkVersionLimit(name: string, subject: string, limit: number, by: Sql | TransactionSql) {
    const versions = await by<{ version: string }[]>`
      select version from catalog.apps where name = ${name} and owner_subject = ${subject}
      order by created_at, id`;
    if (versions.length >= limit) throw tooManyVersions(name, versions[0]?.version ?? '', versions.length);
  }

  return {
    async get(id: string): Promise<App | undefined> {
      const [row] = await sql<Row[]>`select ${columns(sql)} from catalog.apps where id = ${id}`;
      return row === undefined ? undefined : appOf(row);
    },

    async getMany(ids: readonly string[]): Promise<App[]> {
      const rows = await sql<
        Row[]
      >`select ${columns(sql)} from catalog.apps where id = any(${[...ids]}::uuid[])`;
      return rows.map(appOf);
    },

    async exists(name: string, version: string): Promise<boolean> {
      const rows = await sql`select 1 from catalog.apps where name = ${name} and version = ${version}`;
      return rows.length > 0;
    },

    checkVersionLimit: (name: string, subject: string, limit: number) =>
      checkVersionLimit(name, subject, limit, sql),

    /** Throws `app_exists` or `app_version_limit_reached` (409). */
    async insert(app: NewApp, versionLimit: number): Promise<void> {
      await database.transaction(async (transaction) => {
        // One after the other, or imports at the same moment would each find room.
        const key = `catalog.versions ${app.owner.subject} ${app.manifest.name}`;
        await transaction`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`;
        await checkVersionLimit(app.manifest.name, app.owner.subject, versionLimit, transaction);
        await insertRow(transaction, app);
      });
    },

    async setVisibility(id: string, visibility: Visibility): Promise<App | undefined> {
      const [row] = await sql<Row[]>`
        update catalog.apps set visibility = ${visibility}, updated_at = now() where id = ${id}
        returning ${columns(sql)}`;
      return row === undefined ? undefined : appOf(row);
    },

    async setOwner(id: string, owner: AppOwner): Promise<App | undefined> {
      const [row] = await sql<Row[]>`
        update catalog.apps set owner_subject = ${owner.subject}, owner_username = ${owner.username},
          updated_at = now()
        where id = ${id} returning ${columns(sql)}`;
      return row === undefined ? undefined : appOf(row);
    },

    async ownedBy(owner: { subject: string } | { username: string }): Promise<App[]> {
      const theirs =
        'subject' in owner ? sql`owner_subject = ${owner.subject}` : sql`owner_username = ${owner.username}`;
      const rows = await sql<Row[]>`
        select ${columns(sql)} from catalog.apps where ${theirs} order by created_at desc, id desc`;
      return rows.map(appOf);
    },

    /** By what app.toml says, letter by letter. The newest first. */
    async naming(secret: string): Promise<App[]> {
      const rows = await sql<Row[]>`
        select ${columns(sql)} from catalog.apps
        where (jsonb_path_query_array(manifest, '$.env[*].from.secret')
          || jsonb_path_query_array(manifest, '$.files[*].from.secret')) @> ${JSON.stringify([secret])}::text::jsonb
        order by created_at desc, id desc`;
      return rows.map(appOf);
    },

    async setPrecondition(
      id: string,
      problems: readonly PreconditionProblem[],
      checkedAt: Date,
    ): Promise<void> {
      await sql`
        update catalog.apps set precondition_problems = ${JSON.stringify(problems)}::text::jsonb,
          precondition_checked_at = ${checkedAt}
        where id = ${id}`;
    },

    async delete(id: string): Promise<void> {
      await sql`delete from catalog.apps where id = ${id}`;
    },

    /** Newest import first. */
    async list(query: ListQuery): Promise<App[]> {
      const { after } = query;
      const newest = sql`
        and id in (select distinct on (name) id from catalog.apps where ${inScope(query.scope)}
          order by name, version_order desc, created_at desc, id)`;
      const matches = sql`
        and position(lower(${query.query}) in lower(name || ' ' || title || ' ' || description || ' ' || (manifest->>'tags'))) > 0`;
      const fails = sql`jsonb_path_exists(precondition_problems, '$[*] ? (@.blocks == true)')`;
      const asFound = query.precondition === 'FAILED' ? sql`and ${fails}` : sql`and not ${fails}`;
      const rows = await sql<Row[]>`
        select ${columns(sql)} from catalog.apps
        where ${inScope(query.scope)}
          ${query.newestOnly ? newest : sql``}
          ${query.query === '' ? sql`` : matches}
          ${query.precondition === undefined ? sql`` : asFound}
          ${query.tag === undefined ? sql`` : sql`and jsonb_exists(manifest->'tags', ${query.tag})`}
          ${query.owner === undefined ? sql`` : sql`and owner_username = ${query.owner}`}
          ${query.visibility === undefined ? sql`` : sql`and visibility = ${query.visibility}`}
          ${after === undefined ? sql`` : sql`and (created_at, id) < (${after.createdAt}, ${after.id}::uuid)`}
        order by created_at desc, id desc
        limit ${query.limit}`;
      return rows.map(appOf);
    },

    /** All versions in scope, the highest first. */
    async versions(name: string, scope: AppScope) {
      const rows = await sql<VersionRow[]>`
        select id, version, created_at, owner_subject, owner_username, visibility, manifest->>'lifecycle' as lifecycle,
          precondition_problems, precondition_checked_at
        from catalog.apps
        where name = ${name} and ${inScope(scope)} order by version_order desc, created_at desc, id`;
      return rows.map((row) => ({
        id: row.id,
        version: row.version,
        createdAt: row.created_at,
        app: {
          owner: { subject: row.owner_subject, username: row.owner_username },
          visibility: row.visibility,
          manifest: { lifecycle: row.lifecycle },
          precondition: preconditionOf(row.precondition_problems, row.precondition_checked_at),
        },
      }));
    },

    async text(id: string, file: 'requirements.txt' | 'packages.txt'): Promise<string | undefined> {
      const [row] = await sql<{ requirements: string | null; packages: string | null }[]>`
        select requirements, packages from catalog.apps where id = ${id}`;
      return (file === 'packages.txt' ? row?.packages : row?.requirements) ?? undefined;
    },

    async knownIds(ids: readonly string[]): Promise<Set<string>> {
      const rows = await sql<
        { id: string }[]
      >`select id from catalog.apps where id = any(${[...ids]}::uuid[])`;
      return new Set(rows.map((row) => row.id));
    },
  };
}

async function insertRow(sql: TransactionSql, app: NewApp): Promise<void> {
  const { manifest } = app;
  const inserted = await sql`
        insert into catalog.apps (id, name, version, version_order, title, description, long_description, owner_subject,
          owner_username, importer_subject, importer_username, visibility, manifest, assets, requirements, packages, bundle_sha256, bundle_size,
          precondition_problems, precondition_checked_at, created_at, updated_at)
        values (${app.id}, ${manifest.name}, ${manifest.version}, ${versionOrder(manifest.version)}, ${manifest.title},
          ${manifest.description}, ${app.longDescription}, ${app.owner.subject}, ${app.owner.username},
          ${app.importedBy.subject}, ${app.importedBy.username},
          ${app.visibility}, ${JSON.stringify(manifest)}::text::jsonb, ${JSON.stringify(app.assets)}::text::jsonb,
          ${app.requirements ?? null}, ${app.packages ?? null}, ${app.bundleSha256}, ${app.bundleSize},
          ${JSON.stringify(app.precondition.problems)}::text::jsonb, ${app.precondition.checkedAt}, ${app.createdAt}, ${app.createdAt})
        on conflict on constraint apps_name_version do nothing
        returning id`;
  if (inserted.length === 0) throw appExists(manifest);
}

const tooManyVersions = (name: string, oldest: string, count: number) =>
  conflict(
    'app_version_limit_reached',
    `You have ${count} versions of ${name}, and that is the most one may have here. Delete one that you no longer need (the oldest is ${oldest}).`,
    { details: { name, oldest, count } },
  );

export const appExists = (manifest: { name: string; version: string }) =>
  conflict(
    'app_exists',
    `${manifest.name} ${manifest.version} has been imported already. Raise Version in app.toml and import again.`,
    { details: { name: manifest.name, version: manifest.version } },
  );

const appOf = (row: Row): App => ({
  id: row.id,
  owner: { subject: row.owner_subject, username: row.owner_username },
  importedBy: { subject: row.importer_subject, username: row.importer_username },
  visibility: row.visibility,
  manifest: row.manifest,
  longDescription: row.long_description,
  assets: row.assets,
  bundleSha256: row.bundle_sha256,
  bundleSize: Number(row.bundle_size),
  precondition: preconditionOf(row.precondition_problems, row.precondition_checked_at),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

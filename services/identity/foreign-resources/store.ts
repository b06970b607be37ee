import type { Database } from '@haic/platform/database/port.ts';
import { type ForeignResource, type ForeignResourceFields, isAudience } from './model.ts';

interface Row {
  name: string;
  audience: string;
  description: string;
  scopes: string[];
  apps: string[];
  service_accounts: string[];
  created_at: Date;
}

const resourceOf = (row: Row): ForeignResource => ({
  name: row.name,
  audience: row.audience,
  description: row.description,
  scopes: row.scopes,
  apps: row.apps,
  serviceAccounts: row.service_accounts,
  createdAt: row.created_at,
});

export type ForeignResourceStore = ReturnType<typeof createForeignResourceStore>;

export function createForeignResourceStore({ sql }: Database) {
  const one = async (rows: Promise<Row[]>) => {
    const [row] = await rows;
    return row === undefined ? undefined : resourceOf(row);
  };
  return {
    byName: (name: string) => one(sql<Row[]>`select * from identity.foreign_resources where name = ${name}`),
    byAudience: (audience: string) =>
      isAudience(audience)
        ? one(sql<Row[]>`select * from identity.foreign_resources where audience = ${audience}`)
        : Promise.resolve(undefined),
    page: async (after: string, limit: number): Promise<readonly ForeignResource[]> => {
      const rows = await sql<Row[]>`
        select * from identity.foreign_resources where name collate "C" > ${after}
        order by name collate "C" limit ${limit}`;
      return rows.map(resourceOf);
    },
    /** Undefined when the name or the audience is taken. */
    insert: (resource: Omit<ForeignResource, 'createdAt'>) =>
      one(sql<Row[]>`
        insert into identity.foreign_resources (name, audience, description, scopes, apps, service_accounts)
        values (${resource.name}, ${resource.audience}, ${resource.description}, ${[...resource.scopes]}::text[],
          ${[...resource.apps]}::text[], ${[...resource.serviceAccounts]}::text[])
        on conflict do nothing returning *`),
    update: (name: string, fields: ForeignResourceFields) =>
      one(sql<Row[]>`
        update identity.foreign_resources set description = ${fields.description},
          scopes = ${[...fields.scopes]}::text[], apps = ${[...fields.apps]}::text[],
          service_accounts = ${[...fields.serviceAccounts]}::text[]
        where name = ${name} returning *`),
    /** False when there was none. */
    remove: async (name: string): Promise<boolean> => {
      const result = await sql`delete from identity.foreign_resources where name = ${name}`;
      return result.count === 1;
    },
  };
}

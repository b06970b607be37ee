import type { Database } from '@haic/platform/database/port.ts';
import { appParent, type KeptList, type KeptSecret } from './client.ts';

export type KeptSecretList = (asked: KeptList) => Promise<readonly KeptSecret[]>;

interface Row {
  uid: string;
  parent: string;
  id: string;
  display_name: string;
  creator: string;
  created_at: Date;
  changed_by: string;
  changed_at: Date;
  keys: string[];
}

/** One page with the keys of each, in one question. Values are not even read. */
export function createKeptSecretList({ sql }: Database): KeptSecretList {
  return async ({ parents, query, after, limit }) => {
    const whole = parents.filter((parent) => parent !== appParent(''));
    const ofApps = whole.length < parents.length;
    const rows = await sql<Row[]>`
      select s.uid, s.parent, s.id, s.display_name, s.creator, s.created_at,
        v.creator as changed_by, v.created_at as changed_at,
        array(select key from secrets.version_values where version = v.uid order by key) as keys
      from secrets.secrets s
      cross join lateral (
        select uid, creator, created_at from secrets.versions where secret = s.uid order by number desc limit 1) v
      where (s.parent = any(${whole}) ${ofApps ? sql`or s.parent ^@ ${appParent('')}` : sql``})
        and s.deleted_at is null
        ${query === '' ? sql`` : sql`and position(${query} in s.id) > 0`}
        ${after === undefined ? sql`` : sql`and (s.id, s.parent) > (${after.id}, ${after.parent})`}
      order by s.id, s.parent limit ${limit}`;
    return rows.map((row) => ({
      ...{ parent: row.parent, id: row.id, uid: row.uid, displayName: row.display_name },
      ...{ creator: row.creator, createdAt: row.created_at },
      ...{ changedAt: row.changed_at, changedBy: row.changed_by, keys: row.keys },
    }));
  };
}

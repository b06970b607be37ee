import type { Sql } from '@haic/platform/database/port.ts';

/** What a person or a service account can have several of, and tokens say. */
export type LabelKind = 'role' | 'group';
export type LabelChange = { readonly add: string } | { readonly take: string };

/** For an update's `set`: one label more, each once and in order, or one less; the others stay. */
export function labelAssignment(sql: Sql, kind: LabelKind, change: LabelChange) {
  const column = sql(kind === 'role' ? 'roles' : 'groups');
  return 'add' in change
    ? sql`${column} = array(select distinct label from unnest(${column} || ${[change.add]}::text[]) as label order by label)`
    : sql`${column} = array_remove(${column}, ${change.take})`;
}

import type { Database } from '@haic/platform/database/port.ts';

/** Somebody who is gone, and whose bucket is kept until `purgeAt`. */
export interface FormerPerson {
  readonly subject: string;
  /** Empty when it is not known. */
  readonly username: string;
  readonly endedAt: Date;
  readonly purgeAt: Date;
  /** Of the last hand-over or purge; undefined before the first. */
  readonly operationId?: string;
}

/** In the list of all of them. */
export type Place = Pick<FormerPerson, 'purgeAt' | 'subject'>;

export type FormerPeopleStore = ReturnType<typeof createFormerPeopleStore>;

interface Row {
  readonly subject: string;
  readonly username: string;
  readonly ended_at: Date;
  readonly purge_at: Date;
  readonly operation_id: string | null;
}

const personOf = (row: Row): FormerPerson => ({
  ...{ subject: row.subject, username: row.username },
  ...{ endedAt: row.ended_at, purgeAt: row.purge_at },
  ...(row.operation_id === null ? {} : { operationId: row.operation_id }),
});

/** So many buckets are looked at in one question. */
const pageSize = 500;
const peoplePrefix = 'drive/people/';

export function createFormerPeopleStore({ sql }: Database) {
  const columns = sql`subject, username, ended_at, purge_at, operation_id`;
  return {
    /** Somebody who is noted keeps their date, and gets the name when it becomes known. */
    keep: async ({ subject, username, endedAt, purgeAt }: FormerPerson): Promise<void> => {
      await sql`
        insert into ocean.former_people (subject, username, ended_at, purge_at)
        values (${subject}, ${username}, ${endedAt}, ${purgeAt})
        on conflict (subject) do update set username = excluded.username
        where ocean.former_people.username = ''`;
    },
    began: async (subject: string, operationId: string): Promise<void> => {
      await sql`update ocean.former_people set operation_id = ${operationId} where subject = ${subject}`;
    },
    find: async (subject: string): Promise<FormerPerson | undefined> => {
      const [row] = await sql<Row[]>`select ${columns} from ocean.former_people where subject = ${subject}`;
      return row === undefined ? undefined : personOf(row);
    },
    /** The next to be purged first; of those of whose name or subject `query` is a part, in any case. */
    page: async (
      query: string,
      after: Place | undefined,
      limit: number,
    ): Promise<readonly FormerPerson[]> => {
      const purgeAt = sql`date_trunc('milliseconds', purge_at)`;
      const wanted = query.toLowerCase();
      const rows = await sql<Row[]>`
        select ${columns} from ocean.former_people
        where (${wanted} = '' or strpos(lower(username), ${wanted}) > 0 or strpos(lower(subject), ${wanted}) > 0)
        ${after === undefined ? sql`` : sql`and (${purgeAt}, subject) > (${after.purgeAt}, ${after.subject})`}
        order by ${purgeAt}, subject limit ${limit}`;
      return rows.map(personOf);
    },
    due: async (now: Date): Promise<readonly FormerPerson[]> =>
      (await sql<Row[]>`select ${columns} from ocean.former_people where purge_at <= ${now}`).map(personOf),
    forget: async (subject: string): Promise<void> => {
      await sql`delete from ocean.former_people where subject = ${subject}`;
    },
    /** Whose buckets there are, some at a time, without those that are noted already. */
    async *owners(): AsyncGenerator<readonly string[]> {
      let after = peoplePrefix;
      for (;;) {
        const rows = await sql<{ bucket: string }[]>`
          select bucket from drive.usage u
          where bucket > ${after} and starts_with(bucket, ${peoplePrefix})
          order by bucket limit ${pageSize}`;
        const last = rows.at(-1);
        if (last === undefined) return;
        const subjects = rows.map(({ bucket }) =>
          decodeURIComponent(bucket.slice(peoplePrefix.length).replace(/\/$/, '')),
        );
        const noted = await sql<{ subject: string }[]>`
          select subject from ocean.former_people where subject = any(${subjects})`;
        const known = new Set(noted.map(({ subject }) => subject));
        yield subjects.filter((subject) => !known.has(subject));
        after = last.bucket;
      }
    },
  };
}

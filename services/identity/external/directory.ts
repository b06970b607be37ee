import type { Database } from '@haic/platform/database/port.ts';
import type { PeopleDirectory } from '../client.ts';
import type { PeopleStanding } from './people-standing.ts';
import type { SeenPerson } from './store.ts';

const goneAfterDays = 30;

/** Of a list, in which nobody is asked about one by one. */
const toOthers = (person: SeenPerson) => ({ ...person, disabled: false });

/** Those whom the issuer vouched for here, and the groups that it named. */
export function createExternalDirectory(database: Database, standing: PeopleStanding): PeopleDirectory {
  const { sql } = database;
  const columns = sql`subject, username, name, email, roles, groups`;
  const groups = sql`select distinct unnest(groups) as name from identity.seen_people`;
  return {
    findPeople: async (subjects) => {
      const rows = await sql<SeenPerson[]>`
        select ${columns} from identity.seen_people where subject = any(${[...subjects]})`;
      const known = await standing.of(rows.map(({ subject }) => subject));
      return rows.map((person) => ({ ...person, disabled: known.get(person.subject) === 'ended' }));
    },
    listPeople: async ({ text, after, limit }) => {
      const rows = await sql<SeenPerson[]>`
        select ${columns} from identity.seen_people
        where (strpos(lower(username), ${text.toLowerCase()}) > 0 or strpos(lower(name), ${text.toLowerCase()}) > 0)
          ${after === undefined ? sql`` : sql`and (username collate "C", subject collate "C") > (${after.username}, ${after.subject})`}
        order by username collate "C", subject collate "C" limit ${limit}`;
      return rows.map(toOthers);
    },
    listGroups: async ({ text, after, limit }) => {
      const rows = await sql<{ name: string }[]>`
        select name from (${groups}) as named
        where strpos(lower(name), ${text.toLowerCase()}) > 0
          ${after === undefined ? sql`` : sql`and name collate "C" > ${after}`}
        order by name collate "C" limit ${limit}`;
      return rows.map(({ name }) => name);
    },
    hasGroup: async (name) => {
      const rows = await sql`select 1 from identity.seen_people where groups @> ${[name]}::text[] limit 1`;
      return rows.length > 0;
    },
    goneAmong: async (subjects) => {
      const seen = await sql<{ subject: string }[]>`
        select subject from identity.seen_people
        where subject = any(${[...subjects]}) and seen_at > now() - ${goneAfterDays} * interval '1 day'`;
      const lately = new Set(seen.map(({ subject }) => subject));
      const known = await standing.of(subjects);
      return subjects.filter((subject) => {
        const said = known.get(subject) ?? 'unknown';
        return said === 'unknown' ? !lately.has(subject) : said === 'ended';
      });
    },
  };
}

import { randomUUID } from 'node:crypto';
import type { Database, TransactionSql } from '@haic/platform/database/port.ts';
import type { Person } from '../model.ts';
import type { PeopleStore } from '../store.ts';
import type { Profile } from './profile.ts';
import type { UpstreamProvider } from './provider-settings.ts';

export type LinkStore = ReturnType<typeof createLinkStore>;

interface Link {
  person_id: string;
  made_person: boolean;
  roles: string[];
  groups: string[];
}

/** How a sign-in changed a person. */
export interface Followed {
  readonly person: Person;
  readonly lostARole: boolean;
}

/** Who the people of other providers are here. */
export function createLinkStore(database: Database, people: PeopleStore) {
  const { sql } = database;

  const linkOf = async (reader: TransactionSql | typeof sql, provider: UpstreamProvider, subject: string) => {
    const [link] = await reader<Link[]>`
      select person_id, made_person, roles, groups from identity.upstream_links
      where alias = ${provider.alias} and issuer = ${provider.issuer} and subject = ${subject}`;
    return link;
  };

  const insertLink = async (
    writer: TransactionSql,
    link: { provider: UpstreamProvider; subject: string; personId: string; madePerson: boolean },
  ): Promise<boolean> => {
    const { provider, subject, personId, madePerson } = link;
    const result = await writer`
      insert into identity.upstream_links (alias, issuer, subject, person_id, made_person)
      values (${provider.alias}, ${provider.issuer}, ${subject}, ${personId}, ${madePerson})
      on conflict do nothing`;
    return result.count === 1;
  };

  /** Somebody else's address does not become theirs too: apps may know people by it. */
  const freeEmail = async (reader: TransactionSql, email: string, personId: string): Promise<string> => {
    if (email === '') return '';
    const [other] = await reader`
      select 1 from identity.people where lower(email) = ${email.toLowerCase()} and id <> ${personId} limit 1`;
    return other === undefined ? email : '';
  };

  const insertPerson = async (writer: TransactionSql, profile: Profile): Promise<Person> => {
    const id = randomUUID();
    const details = {
      name: profile.name,
      email: await freeEmail(writer, profile.email, id),
      roles: [],
      groups: [],
    };
    for (let number = 1; ; number += 1) {
      const username = number === 1 ? profile.username : `${profile.username}-${number}`;
      const person = await people.insert(id, { ...details, username }, undefined, writer);
      if (person !== undefined) return person;
    }
  };

  return {
    /** The person, by the provider's own id of them. */
    personOf: async (provider: UpstreamProvider, subject: string): Promise<Person | undefined> => {
      const link = await linkOf(sql, provider, subject);
      return link === undefined ? undefined : people.byId(link.person_id);
    },

    /** People here who could be the same, by what the provider calls them. */
    namesakes: async (profile: Profile): Promise<readonly { username: string; disabled: boolean }[]> =>
      sql<{ username: string; disabled: boolean }[]>`
        select username, disabled from identity.people
        where username = ${profile.username}
          or (${profile.claimedEmail} <> '' and lower(email) = ${profile.claimedEmail.toLowerCase()})`,

    /** A new person without a password; the same one for two tabs that come in at once. */
    makePerson: (provider: UpstreamProvider, profile: Profile): Promise<void> =>
      database.transaction(async (writer) => {
        const key = JSON.stringify([provider.alias, provider.issuer, profile.subject]);
        await writer`select pg_advisory_xact_lock(hashtextextended(${`identity.link ${key}`}, 0))`;
        if ((await linkOf(writer, provider, profile.subject)) !== undefined) return;
        const { id } = await insertPerson(writer, profile);
        await insertLink(writer, { provider, subject: profile.subject, personId: id, madePerson: true });
      }),

    /** False when either of the two is linked already. */
    link: (provider: UpstreamProvider, subject: string, personId: string): Promise<boolean> =>
      database.transaction((writer) =>
        insertLink(writer, { provider, subject, personId, madePerson: false }),
      ),

    /**
     * Gives what the claims give now and takes what they gave before; what was given by hand, or by another provider, stays. Undefined when
     * the person is gone.
     */
    follow: (provider: UpstreamProvider, profile: Profile): Promise<Followed | undefined> =>
      database.transaction(async (writer) => {
        const link = await linkOf(writer, provider, profile.subject);
        if (link === undefined) return undefined;
        await writer`select 1 from identity.people where id = ${link.person_id} for update`;
        const before = await people.byId(link.person_id, writer);
        if (before === undefined) return undefined;
        const others = await writer<Pick<Link, 'roles' | 'groups'>[]>`
          select roles, groups from identity.upstream_links
          where person_id = ${before.id} and not (alias = ${provider.alias} and issuer = ${provider.issuer})`;
        const labelsOf = (kind: 'roles' | 'groups') =>
          mergeLabels({
            has: before[kind],
            gaveBefore: link[kind],
            givesNow: profile[kind],
            othersGive: others.flatMap((other) => other[kind]),
          });
        const [roles, groups] = [labelsOf('roles'), labelsOf('groups')];
        const details = link.made_person
          ? { name: profile.name, email: await freeEmail(writer, profile.email, before.id) }
          : {};
        const changes = { ...details, roles: roles.labels, groups: groups.labels };
        const person = await people.update(before.id, changes, writer);
        await writer`
          update identity.upstream_links set roles = ${[...roles.given]}, groups = ${[...groups.given]}
          where alias = ${provider.alias} and issuer = ${provider.issuer} and subject = ${profile.subject}`;
        if (person === undefined) return undefined;
        return { person, lostARole: before.roles.some((role) => !person.roles.includes(role)) };
      }),
  };
}

/** `given` is what this provider alone accounts for: it is taken again when the provider no longer gives it. */
export function mergeLabels(from: {
  has: readonly string[];
  gaveBefore: readonly string[];
  givesNow: readonly string[];
  othersGive: readonly string[];
}): { labels: readonly string[]; given: readonly string[] } {
  const byProviders = new Set([...from.gaveBefore, ...from.othersGive]);
  const byHand = from.has.filter((label) => !byProviders.has(label));
  const labels = new Set([...byHand, ...from.othersGive, ...from.givesNow]);
  return {
    labels: [...labels].sort(),
    given: from.givesNow.filter((label) => !byHand.includes(label)),
  };
}

import { open, seal } from '@haic/kit/keys.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AppSession, Person, PortalSession, Session, SessionTokens } from '../model.ts';
import { everybody, rememberedForMs } from './endings.ts';

/** Notifications: `ended:<session id>`, `changed:<session id>` (both by trigger) and `person-ended:<subject, or * for everybody>`. */
export const sessionsChannel = 'router_sessions';

export interface Ending {
  readonly subject: string;
  readonly at: Date;
}

interface PortalRow {
  id: string;
  issuer_sid: string | null;
  person: Person;
  sealed_tokens: Buffer;
  access_expires_at: Date;
  seen_at: Date;
  expires_at: Date;
}

export type SessionStore = ReturnType<typeof createSessionStore>;

export function createSessionStore(database: Database, sealingKey: Buffer, idleMs: number) {
  const { sql } = database;
  const idle = sql`make_interval(secs => ${idleMs / 1000})`;
  const alive = sql`p.expires_at > now() and p.seen_at > now() - ${idle}`;

  const sealTokens = (id: string, tokens: SessionTokens) =>
    seal(sealingKey, JSON.stringify(tokens), `tokens:${id}`);
  const portalOf = (row: PortalRow): PortalSession => ({
    kind: 'portal',
    id: row.id,
    issuerSid: row.issuer_sid ?? undefined,
    person: row.person,
    tokens: JSON.parse(open(sealingKey, row.sealed_tokens, `tokens:${row.id}`).toString()) as SessionTokens,
    accessExpiresAt: row.access_expires_at.getTime(),
    seenAt: row.seen_at.getTime(),
    expiresAt: row.expires_at.getTime(),
  });

  const keepEnding = async (subject: string) => {
    await sql`
      insert into router.endings (subject) values (${subject})
      on conflict (subject) do update set at = excluded.at`;
    await database.notify(sessionsChannel, `person-ended:${subject}`);
  };

  return {
    insertPortal: async (session: PortalSession): Promise<void> => {
      await sql`
        insert into router.sessions
          (id, subject, issuer_sid, person, sealed_tokens, access_expires_at, seen_at, expires_at)
        values (${session.id}, ${session.person.subject}, ${session.issuerSid ?? null},
          ${sql.json(JSON.parse(JSON.stringify(session.person)))}, ${sealTokens(session.id, session.tokens)},
          ${new Date(session.accessExpiresAt)}, ${new Date(session.seenAt)}, ${new Date(session.expiresAt)})`;
    },

    /** False when the portal's session ended meanwhile. */
    insertApp: async (session: { id: string; instanceId: string; portalId: string }): Promise<boolean> => {
      const result = await sql`
        insert into router.sessions (id, parent, instance_id, subject, expires_at)
        select ${session.id}, p.id, ${session.instanceId}, p.subject, p.expires_at
        from router.sessions p where p.id = ${session.portalId} and p.parent is null and ${alive}`;
      return result.count === 1;
    },

    find: async (id: string): Promise<Session | undefined> => {
      const [row] = await sql<(PortalRow & { app_instance: string | null })[]>`
        select p.id, p.issuer_sid, p.person, p.sealed_tokens, p.access_expires_at, p.seen_at, p.expires_at,
          s.instance_id as app_instance
        from router.sessions s join router.sessions p on p.id = coalesce(s.parent, s.id)
        where s.id = ${id} and ${alive}`;
      if (row === undefined) return undefined;
      const portal = portalOf(row);
      if (row.app_instance === null) return portal;
      return { kind: 'app', id, instanceId: row.app_instance, portal } satisfies AppSession;
    },

    touch: async (portalIds: readonly string[]): Promise<void> => {
      await sql`update router.sessions set seen_at = now() where id = any(${[...portalIds]})`;
    },

    saveTokens: async (session: PortalSession): Promise<void> => {
      await sql`
        update router.sessions set sealed_tokens = ${sealTokens(session.id, session.tokens)},
          person = ${sql.json(JSON.parse(JSON.stringify(session.person)))},
          access_expires_at = ${new Date(session.accessExpiresAt)}
        where id = ${session.id}`;
    },

    /** The removals answer which sessions they ended. */
    remove: async (id: string): Promise<readonly string[]> =>
      idsOf(await sql`delete from router.sessions where id = ${id} returning id`),
    removeByIssuerSid: async (sid: string): Promise<readonly string[]> =>
      idsOf(await sql`delete from router.sessions where issuer_sid = ${sid} returning id`),
    removeBySubject: async (subject: string): Promise<readonly string[]> => {
      const ended = idsOf(await sql`delete from router.sessions where subject = ${subject} returning id`);
      await keepEnding(subject);
      return ended;
    },
    removeAll: async (): Promise<void> => {
      await sql`delete from router.sessions`;
      await keepEnding(everybody);
    },

    /** Of as long ago as a token of then may still live. */
    endings: async (): Promise<readonly Ending[]> =>
      sql<Ending[]>`
        select subject, at from router.endings where at > now() - make_interval(secs => ${rememberedForMs / 1000})`,

    /** Those who are signed in and come after this one, in the order of their ids; '' for the first. */
    subjectsAfter: async (subject: string, limit: number): Promise<readonly string[]> => {
      const rows = await sql<{ subject: string }[]>`
        select distinct p.subject collate "C" as subject from router.sessions p
        where p.parent is null and p.subject collate "C" > ${subject} and ${alive}
        order by 1 limit ${limit}`;
      return rows.map((row) => row.subject);
    },

    /** Which of these are no more: asked after the notifications may have been missed. */
    ended: async (ids: readonly string[]): Promise<readonly string[]> => {
      const rows = await sql<{ id: string }[]>`
        select p.id from router.sessions p where p.id = any(${[...ids]}) and ${alive}`;
      const present = new Set(rows.map((row) => row.id));
      return ids.filter((id) => !present.has(id));
    },

    /** False when this logout token was used before. */
    useLogoutToken: async (jti: string, expiresAt: Date): Promise<boolean> => {
      const result = await sql`
        insert into router.used_logout_tokens (id, expires_at) values (${jti}, ${expiresAt}) on conflict do nothing`;
      return result.count === 1;
    },

    sweep: async (): Promise<void> => {
      await sql`
        delete from router.sessions p where p.expires_at < now()
          or (p.parent is null and p.seen_at < now() - ${idle})`;
      await sql`delete from router.tickets where expires_at < now()`;
      await sql`delete from router.one_time_tokens where expires_at < now()`;
      await sql`delete from router.used_logout_tokens where expires_at < now()`;
      await sql`delete from router.endings where at < now() - make_interval(secs => ${rememberedForMs / 1000})`;
    },
  };
}

const idsOf = (rows: readonly Record<string, unknown>[]): readonly string[] =>
  rows.map((row) => String(row.id));

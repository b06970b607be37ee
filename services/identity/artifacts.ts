import { createHash } from 'node:crypto';
import { open, seal } from '@haic/kit/keys.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { AdapterPayload } from 'oidc-provider';

/**
 * What the OpenID provider has to remember: sessions, grants, codes, refresh tokens, sign-ins under way. Ids are hashed and contents
 * sealed, because here an id is the secret itself: who reads the database can use none of them.
 */
export type ArtifactStore = ReturnType<typeof createArtifactStore>;

export interface ListedArtifact {
  readonly key: Buffer;
  readonly model: string;
  readonly payload: AdapterPayload;
  readonly createdAt: Date;
  readonly usedAt: Date;
}

type Row = { sealed: Buffer; consumed_at: Date | null; model: string };

const sha256 = (text: string) => createHash('sha256').update(text).digest();
const keyOf = (model: string, id: string) => sha256(`${model}:${id}`);
const nothing = null;

export function createArtifactStore(database: Database, sealingKey: Buffer) {
  const { sql } = database;

  const unseal = (model: string, row: Row | undefined): AdapterPayload | undefined => {
    if (row === undefined) return undefined;
    const payload = JSON.parse(open(sealingKey, row.sealed, model).toString()) as AdapterPayload;
    return row.consumed_at === null
      ? payload
      : { ...payload, consumed: Math.floor(row.consumed_at.getTime() / 1000) };
  };

  const write = async (
    reader: Pick<Database, 'sql'>['sql'] | Parameters<Parameters<Database['transaction']>[0]>[0],
    model: string,
    id: string,
    payload: AdapterPayload,
    expiresIn: number | undefined,
  ) => {
    const accountId = payload.accountId ?? payload.session?.accountId ?? nothing;
    const clientId = payload.clientId ?? textOf(payload.params?.client_id) ?? nothing;
    const userCodeKey = payload.userCode === undefined ? nothing : keyOf('UserCode', payload.userCode);
    const sealed = seal(sealingKey, JSON.stringify(payload), model);
    await reader`
      insert into identity.artifacts
        (key, model, sealed, grant_id, account_id, client_id, uid, user_code_key, expires_at)
      values (${keyOf(model, id)}, ${model}, ${sealed}, ${payload.grantId ?? nothing}, ${accountId}, ${clientId},
        ${payload.uid ?? nothing}, ${userCodeKey},
        ${expiresIn === undefined ? nothing : sql`now() + make_interval(secs => ${expiresIn})`})
      on conflict (key) do update set sealed = excluded.sealed, grant_id = excluded.grant_id,
        account_id = excluded.account_id, client_id = excluded.client_id, uid = excluded.uid,
        user_code_key = excluded.user_code_key, expires_at = excluded.expires_at, used_at = now()`;
  };

  /**
   * Two tabs that sign in at two clients at once each save the session they read: what both know of clients is kept. A session
   * that was ended meanwhile stays ended.
   */
  const writeSession = (id: string, payload: AdapterPayload, expiresIn: number | undefined) =>
    database.transaction(async (transaction) => {
      const [ended] = await transaction`
        select 1 from identity.artifacts where key = ${keyOf('EndedSession', payload.uid ?? id)}`;
      if (ended !== undefined) return;
      const [row] = await transaction<Row[]>`
        select sealed, consumed_at, model from identity.artifacts where key = ${keyOf('Session', id)} for update`;
      const earlier = unseal('Session', row);
      const sameSession = earlier !== undefined && earlier.accountId === payload.accountId;
      const merged: AdapterPayload = sameSession
        ? { ...payload, authorizations: { ...earlier.authorizations, ...payload.authorizations } }
        : payload;
      await write(transaction, 'Session', id, merged, expiresIn);
    });

  return {
    upsert: (model: string, id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> =>
      model === 'Session' ? writeSession(id, payload, expiresIn) : write(sql, model, id, payload, expiresIn),

    find: async (model: string, id: string): Promise<AdapterPayload | undefined> => {
      const [row] = await sql<Row[]>`
        select sealed, consumed_at, model from identity.artifacts where key = ${keyOf(model, id)}`;
      return unseal(model, row);
    },

    findByUserCode: async (userCode: string): Promise<AdapterPayload | undefined> => {
      const [row] = await sql<Row[]>`
        select sealed, consumed_at, model from identity.artifacts
        where user_code_key = ${keyOf('UserCode', userCode)}`;
      return row === undefined ? undefined : unseal(row.model, row);
    },

    /** A session has one row; for a moment two, while its id changes at sign-in in one tab and another tab saves it. */
    findSession: async (uid: string): Promise<AdapterPayload | undefined> => {
      const rows = await sql<Row[]>`
        select sealed, consumed_at, model from identity.artifacts
        where model = 'Session' and uid = ${uid} order by expires_at desc`;
      const sessions = rows.map((row) => unseal('Session', row)).filter((session) => session !== undefined);
      const newest = sessions[0];
      if (newest === undefined) return undefined;
      const authorizations: NonNullable<AdapterPayload['authorizations']> = {};
      for (const session of sessions.toReversed()) Object.assign(authorizations, session.authorizations);
      return { ...newest, authorizations };
    },

    /** Whether the session that has this `sid` at the client is there, and so is what it granted: neither was ended nor revoked. */
    isSignedIn: async (accountId: string, clientId: string, sid: string): Promise<boolean> => {
      const rows = await sql<Row[]>`
        select sealed, consumed_at, model from identity.artifacts
        where model = 'Session' and account_id = ${accountId} and (expires_at is null or expires_at > now())`;
      for (const row of rows) {
        const session = unseal('Session', row);
        const at = session?.authorizations?.[clientId];
        if (at?.grantId === undefined) continue;
        if (at.sid !== sid && sessionIdAt(session?.uid ?? '', clientId) !== sid) continue;
        const [grant] = await sql`select 1 from identity.artifacts where key = ${keyOf('Grant', at.grantId)}`;
        if (grant !== undefined) return true;
      }
      return false;
    },

    /** Whether what the client was granted that has this `sid` is there: its lasting token was not revoked. */
    isGranted: async (accountId: string, clientId: string, sid: string): Promise<boolean> => {
      const rows = await sql<{ key: Buffer }[]>`
        select key from identity.artifacts
        where model = 'Grant' and account_id = ${accountId} and client_id = ${clientId}
          and (expires_at is null or expires_at > now())`;
      return rows.some(({ key }) => sessionIdByKey(key) === sid);
    },

    sessionsOf: async (accountId: string): Promise<readonly AdapterPayload[]> => {
      const rows = await sql<Row[]>`
        select sealed, consumed_at, model from identity.artifacts
        where model = 'Session' and account_id = ${accountId}`;
      return rows.map((row) => unseal('Session', row)).filter((session) => session !== undefined);
    },

    /** Sessions and tokens of these clients that have not ended, with when they were made and last used. */
    listOf: async (accountId: string, clientIds: readonly string[]): Promise<readonly ListedArtifact[]> => {
      const rows = await sql<(Row & { key: Buffer; created_at: Date; used_at: Date })[]>`
        select key, sealed, consumed_at, model, created_at, used_at from identity.artifacts
        where account_id = ${accountId} and (expires_at is null or expires_at > now())
          and (model = 'Session' or (model = 'RefreshToken' and client_id = any(${[...clientIds]})))
        order by used_at desc, key`;
      return rows.flatMap((row) => {
        const payload = unseal(row.model, row);
        if (payload === undefined) return [];
        return [{ key: row.key, model: row.model, payload, createdAt: row.created_at, usedAt: row.used_at }];
      });
    },

    markUsed: async (model: string, id: string): Promise<void> => {
      await sql`update identity.artifacts set used_at = now() where key = ${keyOf(model, id)}`;
    },

    /** False when it had been used before: a code that is redeemed twice at the same instant succeeds once. */
    consume: async (model: string, id: string): Promise<boolean> => {
      const result = await sql`
        update identity.artifacts set consumed_at = now()
        where key = ${keyOf(model, id)} and consumed_at is null`;
      return result.count === 1;
    },

    destroy: async (model: string, id: string): Promise<void> => {
      await sql`delete from identity.artifacts where key = ${keyOf(model, id)}`;
    },

    /** Ends the grant and every code and token that came of it. */
    destroyGrant: async (grantId: string): Promise<void> => {
      await sql`
        delete from identity.artifacts where grant_id = ${grantId} or key = ${keyOf('Grant', grantId)}`;
    },

    revokeByGrantId: async (model: string, grantId: string): Promise<void> => {
      await sql`delete from identity.artifacts where grant_id = ${grantId} and model = ${model}`;
    },

    destroySession: (uid: string): Promise<void> =>
      database.transaction(async (transaction) => {
        await transaction`delete from identity.artifacts where model = 'Session' and uid = ${uid}`;
        await transaction`
          insert into identity.artifacts (key, model, sealed, expires_at)
          values (${keyOf('EndedSession', uid)}, 'EndedSession', ''::bytea, now() + interval '1 hour')
          on conflict (key) do nothing`;
      }),

    /** Ends every session, and all that was granted but to these clients. */
    destroyAllSessions: (exceptClients: readonly string[]): Promise<void> =>
      database.transaction(async (transaction) => {
        const ended = await transaction<{ uid: string }[]>`
          delete from identity.artifacts where model = 'Session' and uid is not null returning uid`;
        await transaction`
          delete from identity.artifacts where client_id is not null and client_id <> all(${[...exceptClients]})`;
        const keys = ended.map(({ uid }) => keyOf('EndedSession', uid).toString('hex'));
        await transaction`
          insert into identity.artifacts (key, model, sealed, expires_at)
          select distinct decode(key, 'hex'), 'EndedSession', ''::bytea, now() + interval '1 hour'
          from unnest(${keys}::text[]) as key
          on conflict (key) do nothing`;
      }),

    /** Everything of a person: sessions, grants, tokens, sign-ins under way. */
    removeOfAccount: async (accountId: string): Promise<void> => {
      await sql`delete from identity.artifacts where account_id = ${accountId}`;
    },

    /** Refresh tokens (and their grants) of these clients of a person. */
    removeOfAccountAtClients: async (accountId: string, clientIds: readonly string[]): Promise<void> => {
      await sql`
        delete from identity.artifacts
        where account_id = ${accountId} and client_id = any(${[...clientIds]}) and model <> 'Session'`;
    },

    removeOfClient: async (clientId: string): Promise<void> => {
      await sql`delete from identity.artifacts where client_id = ${clientId}`;
    },

    /** Moves a session's end, and notes that it was used; its sealed content has the same instant as `exp`. */
    extendSession: (uid: string, endOf: (session: AdapterPayload) => number): Promise<void> =>
      database.transaction(async (transaction) => {
        const rows = await transaction<(Row & { key: Buffer })[]>`
          select key, sealed, consumed_at, model from identity.artifacts
          where model = 'Session' and uid = ${uid} for update`;
        for (const row of rows) {
          const session = unseal('Session', row);
          if (session === undefined) continue;
          const exp = endOf(session);
          if (exp <= (session.exp ?? 0)) {
            await transaction`update identity.artifacts set used_at = now() where key = ${row.key}`;
            continue;
          }
          const sealed = seal(sealingKey, JSON.stringify({ ...session, exp }), 'Session');
          await transaction`
            update identity.artifacts
            set sealed = ${sealed}, expires_at = to_timestamp(${exp}), used_at = now()
            where key = ${row.key}`;
        }
      }),

    /** Removes what has expired, in bites that hold no lock for long. */
    sweep: async (): Promise<number> => {
      const result = await sql`
        delete from identity.artifacts where key in (
          select key from identity.artifacts where expires_at < now() - interval '1 minute' limit 5000
          for update skip locked)`;
      return result.count;
    },
  };
}

/** What a session is called at a client that the provider gives no `sid` (it does to clients that take back-channel sign-outs). */
export const sessionIdAt = (uid: string, clientId: string): string =>
  sha256(JSON.stringify(['sid', uid, clientId])).toString('base64url');

/** What a lasting token's grant is called in the access tokens that come of it: it takes the place of a session there. */
export const sessionIdOfGrant = (grantId: string): string => sessionIdByKey(keyOf('Grant', grantId));

const sessionIdByKey = (key: Buffer): string =>
  sha256(JSON.stringify(['grant', key.toString('hex')])).toString('base64url');

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

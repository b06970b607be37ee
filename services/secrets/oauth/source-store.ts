import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import type { UnlockedVault, Vault } from '../sealing/vault.ts';
import type { IdPage } from '../store.ts';
import type { OAuthClient, SourcePlace, SourceProblem, TokenSource, Tokens } from './model.ts';
import type { LoggedIn } from './provider.ts';

interface SourceRow {
  uid: string;
  client: string;
  client_name: string;
  client_display_name: string;
  id: string;
  owner: string;
  redirect_uri: string;
  generation: number;
  connected: boolean;
  issued_at: Date | null;
  expires_at: Date | null;
  login_at: Date | null;
  subject: string;
  login_principal: string;
  created_at: Date;
  renewable: boolean | null;
  last_used_at: Date | null;
  problem: string | null;
  problem_at: Date | null;
}

type Reader = Sql | TransactionSql;

export interface SourceOwner {
  readonly subject: string;
  readonly accounts: number;
}

interface EndedLogin {
  readonly source: string;
  readonly challenge: string;
  readonly toPortal: boolean;
}

const longestProblem = 1000;

/** Token sources in PostgreSQL, their tokens sealed, and the logins under way. */
export function createSourceStore(options: { readonly database: Database; readonly vault: Vault }) {
  const { database, vault } = options;
  const { sql } = database;
  const sources = sql`(
    select s.uid, s.client, c.id as client_name, c.display_name as client_display_name, s.id, s.owner, s.redirect_uri, s.generation,
      s.tokens is not null as connected, s.issued_at, s.expires_at, s.login_at, s.subject,
      s.login_principal, s.created_at, s.renewable, s.last_used_at, s.problem, s.problem_at, s.login_hash
    from secrets.token_sources s join secrets.oauth_clients c on c.uid = s.client) as sources`;
  const noTokens = sql`
    tokens = null, generation = generation + 1, refreshing_until = null, issued_at = null, expires_at = null`;

  const findSource = async (where: ReturnType<Sql>): Promise<TokenSource | undefined> => {
    const [row] = await sql<SourceRow[]>`select * from ${sources} where ${where}`;
    return row === undefined ? undefined : sourceOf(row);
  };
  const keyOf = async (reader: Reader, unlocked: UnlockedVault, source: Pick<TokenSource, 'uid'>) => {
    const [row] = await reader<{ data_key: string }[]>`
      select data_key from secrets.token_sources where uid = ${source.uid}`;
    return row === undefined ? undefined : unlocked.dataKey(reader, row.data_key);
  };

  return {
    findSource: (client: string, owner: string, id: string) =>
      findSource(sql`client_name = ${client} and owner = ${owner} and id = ${id}`),
    sourceByUid: (uid: string) => findSource(sql`uid = ${uid}`),
    sourceByLogin: (secret: string) => findSource(sql`login_hash = ${sha256(secret)}`),

    listSources: async (
      client: OAuthClient,
      owner: string,
      { after, limit }: IdPage,
    ): Promise<readonly TokenSource[]> => {
      const rows = await sql<SourceRow[]>`
        select * from ${sources} where client = ${client.uid} and owner = ${owner}
          ${after === undefined ? sql`` : sql`and id > ${after}`} order by id limit ${limit}`;
      return rows.map(sourceOf);
    },

    /** At every provider, by client and id. */
    listAccounts: async (
      owner: string,
      { after, limit }: { readonly after: SourcePlace | undefined; readonly limit: number },
    ): Promise<readonly TokenSource[]> => {
      const rows = await sql<SourceRow[]>`
        select * from ${sources} where owner = ${owner}
          ${after === undefined ? sql`` : sql`and (client_name, id) > (${after.client.id}, ${after.id})`}
        order by client_name, id limit ${limit}`;
      return rows.map(sourceOf);
    },

    /** Who has sources at that client, and how many; by subject. */
    ownersAt: async (client: OAuthClient, { after, limit }: IdPage): Promise<readonly SourceOwner[]> =>
      sql<SourceOwner[]>`
        select owner as subject, count(*)::int as accounts from secrets.token_sources
        where client = ${client.uid} ${after === undefined ? sql`` : sql`and owner > ${after}`}
        group by owner order by owner limit ${limit}`,

    countOwnersAt: async (client: OAuthClient): Promise<number> => {
      const [row] = await sql<{ n: number }[]>`
        select count(distinct owner)::int as n from secrets.token_sources where client = ${client.uid}`;
      return row?.n ?? 0;
    },

    owners: async (): Promise<readonly string[]> => {
      const rows = await sql<{ owner: string }[]>`select distinct owner from secrets.token_sources`;
      return rows.map(({ owner }) => owner);
    },

    /** At every provider. */
    sourcesOf: async (owner: string): Promise<readonly TokenSource[]> => {
      const rows = await sql<SourceRow[]>`select * from ${sources} where owner = ${owner}`;
      return rows.map(sourceOf);
    },

    /** Of everybody, to be revoked. */
    connectedSources: async (
      client: OAuthClient,
      after: string,
      limit: number,
    ): Promise<readonly TokenSource[]> => {
      const rows = await sql<SourceRow[]>`
        select * from ${sources} where client = ${client.uid} and connected and uid > ${after}
        order by uid limit ${limit}`;
      return rows.map(sourceOf);
    },

    countSources: async (client: OAuthClient, owner: string): Promise<number> => {
      const [row] = await sql<{ n: number }[]>`
        select count(*)::int as n from secrets.token_sources where client = ${client.uid} and owner = ${owner}`;
      return row?.n ?? 0;
    },

    /** Undefined when its owner has one of that id there. */
    insertSource: async (
      within: TransactionSql,
      unlocked: UnlockedVault,
      source: Pick<TokenSource, 'client' | 'id' | 'owner' | 'redirectUri' | 'createdAt'> & {
        readonly uid?: string | undefined;
      },
    ): Promise<TokenSource | undefined> => {
      const key = await unlocked.newDataKey(within);
      const uid = source.uid ?? randomUUID();
      const secret = randomBytes(32).toString('base64url');
      const result = await within`
        insert into secrets.token_sources
          (uid, client, id, owner, redirect_uri, login_hash, login_secret, created_at, data_key)
        values (${uid}, ${source.client.uid}, ${source.id}, ${source.owner}, ${source.redirectUri},
          ${sha256(secret)}, ${key.seal(secret, `login:${uid}`)}, ${source.createdAt}, ${key.id})
        on conflict (client, owner, id) do nothing`;
      if (result.count === 0) return undefined;
      return {
        ...{ ...source, uid, generation: 0, connected: false, subject: '', loginPrincipal: '' },
        ...{ issuedAt: undefined, expiresAt: undefined, loginAt: undefined },
        ...{ renewable: undefined, usedAt: undefined, problem: undefined },
      };
    },

    removeSource: async (within: TransactionSql, source: TokenSource): Promise<boolean> => {
      const [gone] = await within<{ data_key: string }[]>`
        delete from secrets.token_sources where uid = ${source.uid} returning data_key`;
      if (gone !== undefined) await within`delete from secrets.data_keys where id = ${gone.data_key}`;
      return gone !== undefined;
    },

    /** What makes the address of its login unguessable. */
    loginSecret: async (
      source: TokenSource,
      reader: Reader = sql,
      unlocked?: UnlockedVault,
    ): Promise<string> => {
      const key = await keyOf(reader, unlocked ?? (await vault.unlock()), source);
      const [row] = await reader<{ login_secret: Buffer }[]>`
        select login_secret from secrets.token_sources where uid = ${source.uid}`;
      if (row === undefined || key === undefined) return '';
      return key.open(row.login_secret, `login:${source.uid}`).toString();
    },

    tokensOf: async (source: TokenSource): Promise<Tokens | undefined> => {
      const [row] = await sql<{ tokens: Buffer | null }[]>`
        select tokens from secrets.token_sources where uid = ${source.uid} and generation = ${source.generation}`;
      if (row === undefined || row.tokens === null) return undefined;
      const key = await keyOf(sql, await vault.unlock(), source);
      if (key === undefined) return undefined;
      return JSON.parse(key.open(row.tokens, `tokens:${source.uid}`).toString()) as Tokens;
    },

    /** What a login gave, in place of whatever was there. False when the source is gone. */
    connect: async (
      within: TransactionSql,
      unlocked: UnlockedVault,
      source: Pick<TokenSource, 'uid'>,
      grant: LoggedIn,
      at: Date,
    ): Promise<boolean> => {
      const key = await keyOf(within, unlocked, source);
      if (key === undefined) return false;
      const { accessToken, refreshToken } = grant;
      const tokens = key.seal(JSON.stringify({ accessToken, refreshToken }), `tokens:${source.uid}`);
      const result = await within`
        update secrets.token_sources set tokens = ${tokens}, generation = generation + 1,
          refreshing_until = null, issued_at = ${at}, expires_at = ${grant.expiresAt ?? null}, login_at = ${at},
          subject = ${grant.subject}, login_principal = ${grant.loginPrincipal},
          renewable = ${refreshToken !== undefined}, problem = null, problem_at = null
        where uid = ${source.uid}`;
      return result.count > 0;
    },

    /** Whether this process is the one that refreshes these tokens. */
    claimRefresh: async (source: TokenSource, until: Date, now: Date): Promise<boolean> => {
      const result = await sql`
        update secrets.token_sources set refreshing_until = ${until}
        where uid = ${source.uid} and generation = ${source.generation}
          and (refreshing_until is null or refreshing_until < ${now})`;
      return result.count > 0;
    },

    /** Whether some process holds the claim, on these tokens and no newer ones. */
    isRefreshing: async (source: TokenSource, now: Date): Promise<boolean> => {
      const rows = await sql`
        select 1 from secrets.token_sources
        where uid = ${source.uid} and generation = ${source.generation} and refreshing_until >= ${now}`;
      return rows.length > 0;
    },

    releaseRefresh: async (source: TokenSource): Promise<void> => {
      await sql`
        update secrets.token_sources set refreshing_until = null
        where uid = ${source.uid} and generation = ${source.generation}`;
    },

    /** Its provider gives no more, and why. False when they were replaced meanwhile: then nothing happens. */
    endTokens: async (within: TransactionSql, source: TokenSource, why: SourceProblem): Promise<boolean> => {
      const { count } = await within`
        update secrets.token_sources set ${noTokens}, problem = ${why.message}, problem_at = ${why.at}
        where uid = ${source.uid} and generation = ${source.generation} and tokens is not null`;
      return count > 0;
    },

    /** Nothing happens to tokens that were replaced meanwhile. */
    replaceTokens: async (
      source: TokenSource,
      grant: Tokens & { readonly expiresAt: Date | undefined },
      at: Date,
    ): Promise<void> => {
      const key = await keyOf(sql, await vault.unlock(), source);
      if (key === undefined) return;
      const { accessToken, refreshToken } = grant;
      const tokens = key.seal(JSON.stringify({ accessToken, refreshToken }), `tokens:${source.uid}`);
      await sql`
        update secrets.token_sources set tokens = ${tokens}, generation = generation + 1, refreshing_until = null,
          issued_at = ${at}, expires_at = ${grant.expiresAt ?? null}, renewable = ${refreshToken !== undefined},
          problem = null, problem_at = null
        where uid = ${source.uid} and generation = ${source.generation}`;
    },

    /** What is said of it until all is well again; its tokens stay. Nothing of tokens that were replaced meanwhile. */
    noteProblem: async (source: TokenSource, { message, at }: SourceProblem): Promise<void> => {
      await sql`
        update secrets.token_sources set problem = ${message.slice(0, longestProblem)}, problem_at = ${at}
        where uid = ${source.uid} and generation = ${source.generation}`;
    },

    /** To the minute, so that who asks often writes little. */
    noteUse: async (used: readonly Pick<TokenSource, 'uid'>[], at: Date): Promise<void> => {
      await sql`
        update secrets.token_sources set last_used_at = ${at} where uid = any(${used.map(({ uid }) => uid)}::uuid[])
          and (last_used_at is null or last_used_at < ${new Date(at.getTime() - 60_000)})`;
    },

    /** Of everybody. */
    forgetTokens: async (within: TransactionSql, client: OAuthClient, why: SourceProblem): Promise<void> => {
      await within`
        update secrets.token_sources set ${noTokens}, problem = ${why.message}, problem_at = ${why.at}
        where client = ${client.uid} and tokens is not null`;
    },

    beginLogin: async (
      source: TokenSource,
      login: {
        readonly state: string;
        readonly browser: string;
        readonly challenge: string;
        readonly expiresAt: Date;
        readonly toPortal: boolean;
      },
    ): Promise<void> => {
      const unlocked = await vault.unlock();
      const key = await keyOf(sql, unlocked, source);
      if (key === undefined) return;
      const sealed = key.seal(login.challenge, `challenge:${login.state}`);
      await sql`
        insert into secrets.logins (state_hash, source, browser_hash, challenge, expires_at, to_portal)
        values (${sha256(login.state)}, ${source.uid}, ${sha256(login.browser)}, ${sealed}, ${login.expiresAt},
          ${login.toPortal})`;
    },

    /** Once, for the browser that began it, and in time; undefined otherwise. */
    endLogin: async (state: string, browser: string, now: Date): Promise<EndedLogin | undefined> => {
      const [row] = await sql<{ source: string; challenge: Buffer; to_portal: boolean }[]>`
        delete from secrets.logins where state_hash = ${sha256(state)} and browser_hash = ${sha256(browser)}
          and expires_at > ${now}
        returning source, challenge, to_portal`;
      if (row === undefined) return undefined;
      const key = await keyOf(sql, await vault.unlock(), { uid: row.source });
      if (key === undefined) return undefined;
      const challenge = key.open(row.challenge, `challenge:${state}`).toString();
      return { source: row.source, challenge, toPortal: row.to_portal };
    },

    sweepLogins: async (now: Date): Promise<void> => {
      await sql`delete from secrets.logins where expires_at <= ${now}`;
    },
  };
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

const sourceOf = (row: SourceRow): TokenSource => ({
  uid: row.uid,
  client: { uid: row.client, id: row.client_name, displayName: row.client_display_name },
  id: row.id,
  owner: row.owner,
  redirectUri: row.redirect_uri,
  generation: row.generation,
  connected: row.connected,
  issuedAt: row.issued_at ?? undefined,
  expiresAt: row.expires_at ?? undefined,
  loginAt: row.login_at ?? undefined,
  subject: row.subject,
  loginPrincipal: row.login_principal,
  createdAt: row.created_at,
  renewable: row.renewable ?? undefined,
  usedAt: row.last_used_at ?? undefined,
  problem:
    row.problem === null || row.problem_at === null
      ? undefined
      : { message: row.problem, at: row.problem_at },
});

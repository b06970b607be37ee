import { randomUUID } from 'node:crypto';
import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import type { UnlockedVault, Vault } from '../sealing/vault.ts';
import type { IdPage } from '../store.ts';
import type { ClientChanges, ClientSettings, OAuthClient } from './model.ts';

interface ClientRow {
  uid: string;
  id: string;
  display_name: string;
  issuer: string;
  client_id: string;
  client_secret_set: boolean;
  authorization_endpoint: string;
  token_endpoint: string;
  extra_scopes: string[];
  refresh_disabled: boolean;
  oidc_disabled: boolean;
  login_principal_claim: string;
  creator: string;
  created_at: Date;
  updater: string | null;
  updated_at: Date | null;
}

/** OAuth clients in PostgreSQL, their secrets sealed. */
export function createClientStore(options: { readonly database: Database; readonly vault: Vault }) {
  const { database, vault } = options;
  const { sql } = database;
  const clientColumns = sql`
    uid, id, display_name, issuer, client_id, client_secret is not null as client_secret_set,
    authorization_endpoint, token_endpoint, extra_scopes, refresh_disabled, oidc_disabled,
    login_principal_claim, creator, created_at, updater, updated_at`;

  return {
    findClient: async (id: string, reader: Sql | TransactionSql = sql): Promise<OAuthClient | undefined> => {
      const [row] = await reader<ClientRow[]>`
        select ${clientColumns} from secrets.oauth_clients where id = ${id}`;
      return row === undefined ? undefined : clientOf(row);
    },

    /** Those with `query` in their id, display name or issuer; all for an empty one. */
    listClients: async ({
      after,
      limit,
      query,
    }: IdPage & { readonly query: string }): Promise<readonly OAuthClient[]> => {
      const rows = await sql<ClientRow[]>`
        select ${clientColumns} from secrets.oauth_clients
        where ${after === undefined ? sql`true` : sql`id > ${after}`}
          ${query === '' ? sql`` : sql`and position(lower(${query}) in lower(concat_ws(' ', id, display_name, issuer))) > 0`}
        order by id limit ${limit}`;
      return rows.map(clientOf);
    },

    clientsOf: async (uids: readonly string[]): Promise<readonly OAuthClient[]> => {
      const rows = await sql<ClientRow[]>`
        select ${clientColumns} from secrets.oauth_clients where uid = any(${[...uids]}::uuid[])`;
      return rows.map(clientOf);
    },

    /** Undefined when the id is taken. */
    insertClient: async (
      within: TransactionSql,
      unlocked: UnlockedVault,
      client: ClientSettings &
        Pick<OAuthClient, 'id' | 'creator' | 'createdAt'> & { readonly uid?: string | undefined },
    ): Promise<OAuthClient | undefined> => {
      const key = await unlocked.newDataKey(within);
      const uid = client.uid ?? randomUUID();
      const secret = client.clientSecret === '' ? null : key.seal(client.clientSecret, `oauth-client:${uid}`);
      const [row] = await within<ClientRow[]>`
        insert into secrets.oauth_clients (uid, id, display_name, issuer, client_id, client_secret,
          authorization_endpoint, token_endpoint, extra_scopes, refresh_disabled, oidc_disabled,
          login_principal_claim, creator, created_at, data_key)
        values (${uid}, ${client.id}, ${client.displayName}, ${client.issuer}, ${client.clientId}, ${secret},
          ${client.authorizationEndpoint}, ${client.tokenEndpoint}, ${[...client.extraScopes]},
          ${client.refreshDisabled}, ${client.oidcDisabled}, ${client.loginPrincipalClaim}, ${client.creator},
          ${client.createdAt}, ${key.id})
        on conflict (id) do nothing returning ${clientColumns}`;
      return row === undefined ? undefined : clientOf(row);
    },

    updateClient: async (
      within: TransactionSql,
      client: OAuthClient,
      changes: ClientChanges,
      by: { readonly by: string; readonly at: Date },
    ): Promise<OAuthClient | undefined> => {
      const [row] = await within<ClientRow[]>`
        update secrets.oauth_clients set display_name = ${changes.displayName},
          extra_scopes = ${[...changes.extraScopes]}, refresh_disabled = ${changes.refreshDisabled},
          login_principal_claim = ${changes.loginPrincipalClaim}, updater = ${by.by}, updated_at = ${by.at}
        where uid = ${client.uid} returning ${clientColumns}`;
      return row === undefined ? undefined : clientOf(row);
    },

    /** An empty one is none. Undefined when the client is gone. */
    replaceSecret: async (
      within: TransactionSql,
      unlocked: UnlockedVault,
      client: OAuthClient,
      secret: string,
      { by, at }: { readonly by: string; readonly at: Date },
    ): Promise<OAuthClient | undefined> => {
      const [kept] = await within<{ data_key: string }[]>`
        select data_key from secrets.oauth_clients where uid = ${client.uid} for update`;
      if (kept === undefined) return undefined;
      const key = await unlocked.dataKey(within, kept.data_key);
      const sealed = secret === '' ? null : key.seal(secret, `oauth-client:${client.uid}`);
      const [row] = await within<ClientRow[]>`
        update secrets.oauth_clients set client_secret = ${sealed}, updater = ${by}, updated_at = ${at}
        where uid = ${client.uid} returning ${clientColumns}`;
      return row === undefined ? undefined : clientOf(row);
    },

    /** With its token sources, and the keys of all of them. */
    removeClient: async (within: TransactionSql, client: OAuthClient): Promise<boolean> => {
      const keys = await within<{ data_key: string }[]>`
        select data_key from secrets.token_sources where client = ${client.uid}
        union all select data_key from secrets.oauth_clients where uid = ${client.uid}`;
      const gone = await within`delete from secrets.oauth_clients where uid = ${client.uid}`;
      await within`delete from secrets.data_keys where id = any(${keys.map((row) => row.data_key)}::uuid[])`;
      return gone.count > 0;
    },

    clientSecret: async (client: OAuthClient): Promise<string | undefined> => {
      const [row] = await sql<{ client_secret: Buffer | null; data_key: string }[]>`
        select client_secret, data_key from secrets.oauth_clients where uid = ${client.uid}`;
      if (row === undefined || row.client_secret === null) return undefined;
      const key = await (await vault.unlock()).dataKey(sql, row.data_key);
      return key.open(row.client_secret, `oauth-client:${client.uid}`).toString();
    },
  };
}

const clientOf = (row: ClientRow): OAuthClient => ({
  uid: row.uid,
  id: row.id,
  displayName: row.display_name,
  issuer: row.issuer,
  clientId: row.client_id,
  clientSecretSet: row.client_secret_set,
  authorizationEndpoint: row.authorization_endpoint,
  tokenEndpoint: row.token_endpoint,
  extraScopes: row.extra_scopes,
  refreshDisabled: row.refresh_disabled,
  oidcDisabled: row.oidc_disabled,
  loginPrincipalClaim: row.login_principal_claim,
  creator: row.creator,
  createdAt: row.created_at,
  updated: row.updated_at === null ? undefined : { by: row.updater ?? '', at: row.updated_at },
});

import { open, seal } from '@haic/kit/keys.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { IdentityPerson } from '../client.ts';

/** What was registered at the issuer for an instance. */
export interface RegisteredClient {
  readonly instanceId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** By which alone it can be removed. Missing while the issuer is asked to register it, and for ever if Haic dies then. */
  readonly registrationToken?: string;
  readonly redirectUris?: readonly string[];
  /** Without a registration token, and in use: its secret is known to an instance. */
  readonly adopted?: boolean;
}

type ClientSecrets = Omit<RegisteredClient, 'instanceId' | 'clientId'>;

interface AppGrant {
  readonly subject: string;
  readonly refreshToken: string;
}

/** By which the issuer is asked about a person; `client` is the one that the grant was made to. */
export interface PersonsGrant {
  readonly subject: string;
  readonly client: { readonly id: string; readonly secret: string };
  readonly refreshToken: string;
}

export type SeenPerson = Omit<IdentityPerson, 'disabled'>;

export type ExternalStore = ReturnType<typeof createExternalStore>;

/** Tables `registered_clients`, `app_grants` and `seen_people`; `key` seals what is secret in them. */
export function createExternalStore(database: Database, key: Buffer) {
  const { sql } = database;
  const clientContext = (instanceId: string) => `registered-client:${instanceId}`;
  const grantContext = (instanceId: string, subject: string) => `app-grant:${instanceId}:${subject}`;
  const secretsOf = (instanceId: string, sealed: Buffer) =>
    JSON.parse(open(key, sealed, clientContext(instanceId)).toString()) as ClientSecrets;

  return {
    putClient: async ({ instanceId, clientId, ...secrets }: RegisteredClient) => {
      const sealed = seal(key, JSON.stringify(secrets), clientContext(instanceId));
      await sql`
        insert into identity.registered_clients (instance_id, client_id, sealed)
        values (${instanceId}, ${clientId}, ${sealed})
        on conflict (instance_id) do update
          set client_id = excluded.client_id, sealed = excluded.sealed, left_behind_at = null`;
    },

    findClient: async (instanceId: string): Promise<RegisteredClient | undefined> => {
      const [row] = await sql<{ client_id: string; sealed: Buffer }[]>`
        select client_id, sealed from identity.registered_clients where instance_id = ${instanceId}`;
      if (row === undefined) return undefined;
      return { instanceId, clientId: row.client_id, ...secretsOf(instanceId, row.sealed) };
    },

    listClients: async (): Promise<readonly string[]> => {
      const rows = await sql<{ instance_id: string }[]>`
        select instance_id from identity.registered_clients where left_behind_at is null order by instance_id`;
      return rows.map((row) => row.instance_id);
    },

    leaveClientBehind: async (instanceId: string) => {
      await sql`update identity.registered_clients set left_behind_at = now() where instance_id = ${instanceId}`;
    },

    clientsLeftBehind: async (): Promise<readonly RegisteredClient[]> => {
      const rows = await sql<{ instance_id: string; client_id: string; sealed: Buffer }[]>`
        select instance_id, client_id, sealed from identity.registered_clients
        where left_behind_at is not null order by left_behind_at limit 100`;
      return rows.map((row) => ({
        instanceId: row.instance_id,
        clientId: row.client_id,
        ...secretsOf(row.instance_id, row.sealed),
      }));
    },

    /** With the client goes the grant. */
    removeClient: async (instanceId: string) => {
      await sql`delete from identity.registered_clients where instance_id = ${instanceId}`;
    },

    putGrant: async (instanceId: string, { subject, refreshToken }: AppGrant) => {
      const sealed = seal(key, refreshToken, grantContext(instanceId, subject));
      await sql`
        insert into identity.app_grants (instance_id, subject, sealed)
        values (${instanceId}, ${subject}, ${sealed})
        on conflict (instance_id) do update
          set subject = excluded.subject, sealed = excluded.sealed, granted_at = now()`;
    },

    findGrant: async (instanceId: string): Promise<AppGrant | undefined> => {
      const [row] = await sql<{ subject: string; sealed: Buffer }[]>`
        select subject, sealed from identity.app_grants where instance_id = ${instanceId}`;
      if (row === undefined) return undefined;
      const refreshToken = open(key, row.sealed, grantContext(instanceId, row.subject)).toString();
      return { subject: row.subject, refreshToken };
    },

    /** One grant of each of the subjects who have any. */
    grantsOf: async (subjects: readonly string[]): Promise<readonly PersonsGrant[]> => {
      const rows = await sql<
        { instance_id: string; subject: string; grant: Buffer; client_id: string; client: Buffer }[]
      >`
        select distinct on (g.subject) g.instance_id, g.subject, g.sealed as grant, c.client_id, c.sealed as client
        from identity.app_grants g join identity.registered_clients c using (instance_id)
        where g.subject = any(${[...subjects]}) order by g.subject, g.granted_at desc`;
      return rows.map((row) => ({
        subject: row.subject,
        client: { id: row.client_id, secret: secretsOf(row.instance_id, row.client).clientSecret },
        refreshToken: open(key, row.grant, grantContext(row.instance_id, row.subject)).toString(),
      }));
    },

    removeGrant: async (instanceId: string) => {
      await sql`delete from identity.app_grants where instance_id = ${instanceId}`;
    },

    putPerson: async (person: SeenPerson) => {
      const { subject, username, name, email } = person;
      await sql`
        insert into identity.seen_people (subject, username, name, email, roles, groups)
        values (${subject}, ${username}, ${name}, ${email}, ${[...person.roles]}, ${[...person.groups]})
        on conflict (subject) do update set username = excluded.username, name = excluded.name,
          email = excluded.email, roles = excluded.roles, groups = excluded.groups, seen_at = now()`;
    },

    /** The subjects of those whom the issuer vouched for last. */
    lastSeen: async (most: number): Promise<readonly string[]> => {
      const rows = await sql<{ subject: string }[]>`
        select subject from identity.seen_people order by seen_at desc limit ${most}`;
      return rows.map((row) => row.subject);
    },

    findPerson: async (subject: string): Promise<SeenPerson | undefined> => {
      const [row] = await sql<SeenPerson[]>`
        select subject, username, name, email, roles, groups from identity.seen_people
        where subject = ${subject}`;
      return row;
    },

    /** Without regard to case; of two with one name (one was removed at the issuer), whom it vouched for last. */
    findPersonByName: async (username: string): Promise<SeenPerson | undefined> => {
      const [row] = await sql<SeenPerson[]>`
        select subject, username, name, email, roles, groups from identity.seen_people
        where lower(username) = lower(${username}) order by seen_at desc limit 1`;
      return row;
    },
  };
}

import { open, seal } from '@haic/kit/keys.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { IdentityPerson } from '../client.ts';

/** What was registered at the issuer for an instance. */
export interface RegisteredClient {
  readonly instanceId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly registrationToken: string;
}

interface AppGrant {
  readonly subject: string;
  readonly refreshToken: string;
}

export type SeenPerson = Omit<IdentityPerson, 'disabled'>;

export type ExternalStore = ReturnType<typeof createExternalStore>;

/** Tables `registered_clients`, `app_grants` and `seen_people`; `key` seals what is secret in them. */
export function createExternalStore(database: Database, key: Buffer) {
  const { sql } = database;
  const clientContext = (instanceId: string) => `registered-client:${instanceId}`;
  const grantContext = (instanceId: string, subject: string) => `app-grant:${instanceId}:${subject}`;

  return {
    putClient: async ({ instanceId, clientId, clientSecret, registrationToken }: RegisteredClient) => {
      const sealed = seal(
        key,
        JSON.stringify({ clientSecret, registrationToken }),
        clientContext(instanceId),
      );
      await sql`
        insert into identity.registered_clients (instance_id, client_id, sealed)
        values (${instanceId}, ${clientId}, ${sealed})
        on conflict (instance_id) do update set client_id = excluded.client_id, sealed = excluded.sealed`;
    },

    findClient: async (instanceId: string): Promise<RegisteredClient | undefined> => {
      const [row] = await sql<{ client_id: string; sealed: Buffer }[]>`
        select client_id, sealed from identity.registered_clients where instance_id = ${instanceId}`;
      if (row === undefined) return undefined;
      const secrets = JSON.parse(open(key, row.sealed, clientContext(instanceId)).toString()) as {
        clientSecret: string;
        registrationToken: string;
      };
      return { instanceId, clientId: row.client_id, ...secrets };
    },

    listClients: async (): Promise<readonly string[]> => {
      const rows = await sql<{ instance_id: string }[]>`
        select instance_id from identity.registered_clients order by instance_id`;
      return rows.map((row) => row.instance_id);
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

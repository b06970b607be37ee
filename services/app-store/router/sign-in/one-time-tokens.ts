import { open, seal } from '@haic/kit/keys.ts';
import type { Database } from '@haic/platform/database/port.ts';
import type { PersonalTokenKind } from './issuer.ts';

/** A personal token on its way from the issuer's callback to the page that shows it: kept sealed, read once. */
export interface OneTimeTokens {
  put(portalSessionId: string, kind: PersonalTokenKind, token: string): Promise<void>;
  take(portalSessionId: string, kind: PersonalTokenKind): Promise<string | undefined>;
}

const lifetimeSeconds = 300;

export function createOneTimeTokens({ sql }: Database, sealingKey: Buffer): OneTimeTokens {
  const contextOf = (id: string, kind: string) => `one-time-token:${kind}:${id}`;
  return {
    put: async (id, kind, token) => {
      const sealed = seal(sealingKey, token, contextOf(id, kind));
      await sql`
        insert into router.one_time_tokens (session_id, kind, sealed, expires_at)
        values (${id}, ${kind}, ${sealed}, now() + make_interval(secs => ${lifetimeSeconds}))
        on conflict (session_id, kind) do update set sealed = excluded.sealed, expires_at = excluded.expires_at`;
    },
    take: async (id, kind) => {
      const [row] = await sql<{ sealed: Buffer }[]>`
        delete from router.one_time_tokens
        where session_id = ${id} and kind = ${kind} and expires_at > now() returning sealed`;
      return row === undefined ? undefined : open(sealingKey, row.sealed, contextOf(id, kind)).toString();
    },
  };
}

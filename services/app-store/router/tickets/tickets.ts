import { hash, randomBytes } from 'node:crypto';
import type { Database } from '@haic/platform/database/port.ts';

/**
 * A ticket carries the portal's session over to an app's host: for one host, one browser, half a minute, once. The browser proves
 * itself by a secret in a cookie of the app's host; only its hash travels in addresses.
 */
export interface Tickets {
  issue(ticket: {
    portalSessionId: string;
    instanceId: string;
    browserHash: string;
    /** Path and query at the app's host. */
    next: string;
  }): Promise<string>;
  /** Uses the ticket up. Undefined unless everything fits; a misfit uses up nothing. */
  redeem(
    token: string,
    at: { instanceId: string; browserSecrets: readonly string[] },
  ): Promise<{ portalSessionId: string; next: string } | undefined>;
}

const lifetimeSeconds = 30;
const mostSecrets = 64;

export const newBrowserSecret = (): string => randomBytes(32).toString('base64url');
export const isBrowserSecret = (value: string): boolean => /^[\w-]{43}$/.test(value);
export const isBrowserHash = isBrowserSecret;
export const browserHashOf = (secret: string): string => hash('sha256', `browser:${secret}`, 'base64url');

const ticketIdOf = (token: string): string => hash('sha256', token, 'base64url');

export function createTickets({ sql }: Database): Tickets {
  return {
    issue: async ({ portalSessionId, instanceId, browserHash, next }) => {
      const token = randomBytes(32).toString('base64url');
      await sql`
        insert into router.tickets (id, session_id, instance_id, browser_hash, next, expires_at)
        values (${ticketIdOf(token)}, ${portalSessionId}, ${instanceId}, ${browserHash}, ${next},
          now() + make_interval(secs => ${lifetimeSeconds}))`;
      return token;
    },
    redeem: async (token, { instanceId, browserSecrets }) => {
      const hashes = browserSecrets.filter(isBrowserSecret).slice(0, mostSecrets).map(browserHashOf);
      if (hashes.length === 0 || token.length > 100) return undefined;
      const [row] = await sql<{ session_id: string; next: string }[]>`
        delete from router.tickets
        where id = ${ticketIdOf(token)} and instance_id = ${instanceId} and browser_hash = any(${hashes})
          and expires_at > now()
        returning session_id, next`;
      return row === undefined ? undefined : { portalSessionId: row.session_id, next: row.next };
    },
  };
}

import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { deadline, sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { AdapterPayload } from 'oidc-provider';
import type { ArtifactStore } from '../artifacts.ts';
import { backchannelLogoutUri, lastingClients } from './clients.ts';
import type { Issuer } from './issuer.ts';
import { type LogoutOf, signLogoutToken } from './tokens.ts';

/** The part of a session that ending it needs; a stored one and the provider's live one both have it. */
export type EndableSession = Pick<AdapterPayload, 'uid' | 'accountId' | 'authorizations'>;

export interface Sessions {
  /** Ends a session, the tokens bound to it, and tells the portal. */
  end(session: EndableSession): Promise<void>;
  /** Ends all sessions of a person but one; tokens that outlive sessions stay. */
  endOthers(accountId: string, keepUid: string | undefined): Promise<void>;
  /** Ends whatever a person has: sessions, tokens of every kind, sign-ins under way. */
  endEverything(accountId: string): Promise<void>;
  /** Signs everybody out of browsers and apps; tokens that outlive sessions stay. */
  endEverybody(): Promise<void>;
  stop(): void;
}

const retryAfterMs = [1_000, 5_000, 15_000, 60_000];

export function createSessions(options: {
  issuer: Issuer;
  artifacts: ArtifactStore;
  publicUrl: string;
  fetch: Fetch;
  logger: Logger;
}): Sessions {
  const { issuer, artifacts, logger } = options;
  const stopped = new AbortController();

  async function post(of: LogoutOf): Promise<void> {
    const token = await signLogoutToken(issuer, { clientId: wellKnownClients.portal, of });
    const response = await options.fetch(backchannelLogoutUri(options.publicUrl), {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: token }).toString(),
      signal: deadline(3_000, stopped.signal),
    });
    await response.arrayBuffer();
    if (response.status !== 200 && response.status !== 204)
      throw new Error(`the portal answered ${response.status}`);
  }

  async function retry(of: LogoutOf): Promise<void> {
    for (const wait of retryAfterMs) {
      await sleep(wait, stopped.signal);
      try {
        return await post(of);
      } catch (error) {
        logger.warn({ reason: messageOf(error) }, 'The portal did not take a sign-out.');
      }
    }
    logger.error('The portal never took a sign-out; its session ends when its tokens do.');
  }

  /** Waits for the first try, so that a sign-out has happened when the page says so. */
  async function tellPortal(of: LogoutOf): Promise<void> {
    try {
      await post(of);
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, 'The portal did not take a sign-out; trying again.');
      retry(of).catch(() => {
        // Only a stop of the process ends the waiting early.
      });
    }
  }

  async function end(session: EndableSession): Promise<void> {
    if (session.uid !== undefined) await artifacts.destroySession(session.uid);
    const authorizations = session.authorizations ?? {};
    for (const { grantId, persistsLogout } of Object.values(authorizations)) {
      if (grantId !== undefined && persistsLogout !== true) await artifacts.destroyGrant(grantId);
    }
    const portal = authorizations[wellKnownClients.portal];
    if (portal !== undefined && session.accountId !== undefined)
      await tellPortal({ subject: session.accountId, sid: portal.sid });
  }

  return {
    end,
    endOthers: async (accountId, keepUid) => {
      for (const session of await artifacts.sessionsOf(accountId)) {
        if (session.uid !== keepUid) await end(session);
      }
    },
    endEverything: async (accountId) => {
      for (const session of await artifacts.sessionsOf(accountId)) {
        if (session.uid !== undefined) await artifacts.destroySession(session.uid);
      }
      await artifacts.removeOfAccount(accountId);
      await tellPortal({ subject: accountId, sid: undefined });
    },
    endEverybody: async () => {
      await artifacts.destroyAllSessions(lastingClients);
      await tellPortal('everybody');
    },
    stop: () => stopped.abort(new Error('stopped')),
  };
}

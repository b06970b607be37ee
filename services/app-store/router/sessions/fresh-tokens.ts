import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { PortalSession } from '../model.ts';
import type { GrantedTokens, Issuer } from '../sign-in/issuer.ts';
import type { Sessions } from './sessions.ts';
import type { SessionStore } from './store.ts';

/** So long before its end an access token is exchanged while it still serves. */
const earlyMs = 60_000;
/** With so little left a token may end on its way. */
const tooLateMs = 5_000;
/** After the issuer could not be reached it is left in peace for so long. */
const pauseMs = 5_000;

export interface FreshTokens {
  /**
   * Keeps the session's roles and token new: starts an exchange when the token nears its end, and says whether to wait for it
   * (a promise) because what is there has ended. Resolves to false when the issuer ended the session.
   */
  keepFresh(session: PortalSession): true | Promise<boolean>;
  /** A token that is still good for a call, or undefined: the session is over, or the issuer cannot be reached. */
  accessToken(session: PortalSession): Promise<string | undefined>;
}

/**
 * One exchange at a time for a session, however many requests ask. An issuer that cannot be reached ends nothing: people go on with
 * the roles they had, which is what an organisation wants of a sign-in service that restarts.
 */
export function createFreshTokens(options: {
  issuer: Issuer;
  store: SessionStore;
  sessions: Sessions;
  logger: Logger;
}): FreshTokens {
  const running = new Map<string, Promise<boolean>>();
  let pausedUntil = 0;

  const exchange = async (session: PortalSession): Promise<boolean> => {
    const { refreshToken } = session.tokens;
    if (refreshToken === undefined) return endIfOver(session);
    let granted: GrantedTokens | 'refused';
    try {
      granted = await options.issuer.refresh(refreshToken);
    } catch (error) {
      pausedUntil = Date.now() + pauseMs;
      options.logger.warn(`A session's token could not be refreshed: ${messageOf(error)}`);
      return true;
    }
    if (granted === 'refused' || granted.person.subject !== session.person.subject) {
      await options.sessions.end(session.id);
      return false;
    }
    session.person = granted.person;
    session.accessExpiresAt = granted.accessExpiresAt;
    session.tokens = {
      accessToken: granted.accessToken,
      refreshToken: granted.refreshToken ?? refreshToken,
      idToken: granted.idToken ?? session.tokens.idToken,
    };
    await options.store
      .saveTokens(session)
      .catch((error) => options.logger.warn(`A refreshed token could not be kept: ${messageOf(error)}`));
    return true;
  };

  const endIfOver = async (session: PortalSession): Promise<boolean> => {
    if (session.accessExpiresAt > Date.now()) return true;
    await options.sessions.end(session.id);
    return false;
  };

  const exchangeOnce = (session: PortalSession): Promise<boolean> => {
    const before = running.get(session.id);
    if (before !== undefined) return before;
    const promise = exchange(session).finally(() => running.delete(session.id));
    running.set(session.id, promise);
    return promise;
  };

  const keepFresh = (session: PortalSession): true | Promise<boolean> => {
    const now = Date.now();
    const left = session.accessExpiresAt - now;
    if (left > earlyMs || now < pausedUntil) return true;
    const promise = exchangeOnce(session);
    if (left <= tooLateMs) return promise;
    promise.catch((error) => options.logger.warn(`A refresh failed: ${messageOf(error)}`));
    return true;
  };

  return {
    keepFresh,
    accessToken: async (session) => {
      if (!(await keepFresh(session))) return undefined;
      return session.accessExpiresAt > Date.now() ? session.tokens.accessToken : undefined;
    },
  };
}

import type { HaicError } from '@haic/kit/errors.ts';
import { invalid } from '@haic/kit/errors.ts';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Sessions } from '../sessions/sessions.ts';
import type { SessionStore } from '../sessions/store.ts';
import type { Issuer } from './issuer.ts';

const event = 'http://schemas.openid.net/event/backchannel-logout';
/** Haic's own issuer, after its keys became known: whom they vouched for is to sign in anew. */
const everybodyEvent = 'urn:haic:event:everybody-signed-out';
/** Logout tokens are made and sent in one breath. */
const oldestSeconds = 150;

export interface BackchannelLogout {
  /** Obeys a logout token; throws what is wrong with it. */
  obey(logoutToken: string): Promise<void>;
}

/** OpenID Connect Back-Channel Logout 1.0 §2.6, step by step. */
export function createBackchannelLogout(options: {
  issuer: Issuer;
  issuerUrl: string;
  clientId: string;
  sessions: Sessions;
  store: SessionStore;
}): BackchannelLogout {
  const { sessions, store } = options;
  return {
    obey: async (logoutToken) => {
      const claims = await verified(logoutToken, options);
      const forEverybody = hasEvent(claims.events, everybodyEvent);
      if (!forEverybody && !hasEvent(claims.events, event)) throw refused('it is no logout event');
      if (claims.nonce !== undefined) throw refused('it has a nonce, as only ID tokens do');
      const sid = typeof claims.sid === 'string' && claims.sid !== '' ? claims.sid : undefined;
      if (!forEverybody && sid === undefined && claims.sub === undefined)
        throw refused('it names neither session nor person');
      if (claims.jti === undefined) throw refused('it has no jti');
      const expiresAt = new Date(Date.now() + 2 * oldestSeconds * 1000);
      if (!(await store.useLogoutToken(claims.jti, expiresAt))) throw refused('it was used before');
      if (forEverybody) await sessions.endEverybody();
      else if (sid !== undefined) await sessions.endByIssuerSid(sid);
      else if (claims.sub !== undefined) await sessions.endBySubject(claims.sub);
    },
  };
}

async function verified(
  logoutToken: string,
  options: { issuer: Issuer; issuerUrl: string; clientId: string },
): Promise<JWTPayload> {
  const keys = await options.issuer.keys();
  try {
    const { payload, protectedHeader } = await jwtVerify(logoutToken, keys, {
      issuer: options.issuerUrl,
      audience: options.clientId,
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      maxTokenAge: oldestSeconds,
      clockTolerance: 10,
      requiredClaims: ['iat', 'jti', 'events'],
    });
    // Keycloak sends plain "JWT"; an access token is never taken for a logout token.
    if (protectedHeader.typ !== undefined && !/^(logout\+jwt|jwt)$/i.test(protectedHeader.typ))
      throw refused('its type is another one');
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout))
      throw refused(error.code);
    throw error;
  }
}

const hasEvent = (events: unknown, name: string): boolean => {
  if (typeof events !== 'object' || events === null || !(name in events)) return false;
  const value: unknown = Reflect.get(events, name);
  return typeof value === 'object' && value !== null;
};

const refused = (why: string): HaicError =>
  invalid('invalid_logout_token', `This logout token is refused: ${why}.`);

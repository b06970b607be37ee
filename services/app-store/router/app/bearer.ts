import { hash } from 'node:crypto';
import type { Principal } from '@haic/kit/auth/principal.ts';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { LRUCache } from 'lru-cache';
import type { Endings } from '../sessions/endings.ts';

export interface BearerTokens {
  /** Throws like the verifier. At once when this token was verified before and has not ended. */
  verify(token: string): Principal | Promise<Principal>;
}

/** So long a signature is believed: the issuer may have withdrawn its key since. */
const believedForMs = 3_000;

/**
 * Checking a signature costs more than carrying the request: a token that was verified is known by its hash for some seconds. Whether whom
 * it names was ended meanwhile is asked each time.
 */
export function createBearerTokens(
  verifyToken: TokenVerifier,
  endings: Pick<Endings, 'check'>,
): BearerTokens {
  const verified = new LRUCache<string, Principal>({ max: 10_000, ttl: believedForMs });
  const checked = (principal: Principal): Principal => {
    endings.check(principal);
    return principal;
  };
  return {
    verify: (token) => {
      const key = hash('sha256', token, 'base64');
      const known = verified.get(key);
      if (known !== undefined && known.expiresAt * 1000 > Date.now()) return checked(known);
      return verifyToken(token).then((principal) => {
        verified.set(key, principal);
        return checked(principal);
      });
    },
  };
}

/** The token of `Authorization: Bearer …`; another scheme is no business of ours. */
export function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
}

import { hash } from 'node:crypto';
import type { Principal } from '@haic/kit/auth/principal.ts';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { LRUCache } from 'lru-cache';

export interface BearerTokens {
  /** Throws like the verifier. At once when this token was verified before and has not ended. */
  verify(token: string): Principal | Promise<Principal>;
}

/** Checking a signature costs more than carrying the request: a token is verified once, then known by its hash until its end. */
export function createBearerTokens(verifyToken: TokenVerifier): BearerTokens {
  const verified = new LRUCache<string, Principal>({ max: 10_000 });
  return {
    verify: (token) => {
      const key = hash('sha256', token, 'base64');
      const known = verified.get(key);
      if (known !== undefined && known.expiresAt * 1000 > Date.now()) return known;
      return verifyToken(token).then((principal) => {
        verified.set(key, principal);
        return principal;
      });
    },
  };
}

/** The token of `Authorization: Bearer …`; another scheme is no business of ours. */
export function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
}

import type { Principal } from '@haic/kit/auth/principal.ts';
import { unauthenticated } from '@haic/kit/errors.ts';
import { decodeJwt } from 'jose';

/** Instead of a subject: everybody, as after the issuer's key became known. */
export const everybody = '*';
/** Longer than any access token lives. */
export const rememberedForMs = 15 * 60_000;

/**
 * Who was signed out of everything, and when: whoever is disabled, removed or got a new password, and service accounts that ended. What they
 * opened with a cookie ends with the session; a bearer token has none, and is good by itself until its end.
 */
export interface Endings {
  note(subject: string, at: Date): void;
  /** Throws 401 for a token that is no younger than the end of whom it names. */
  check(principal: Principal): void;
}

export function createEndings(now: () => number = Date.now): Endings {
  const ends = new Map<string, number>();
  const endOf = (subject: string) => ends.get(subject) ?? Number.NEGATIVE_INFINITY;
  return {
    note: (subject, at) => {
      for (const [known, end] of ends) if (end < now() - rememberedForMs) ends.delete(known);
      ends.set(subject, Math.max(endOf(subject), at.getTime()));
    },
    check: ({ subject, token }) => {
      if (ends.size === 0) return;
      const end = Math.max(endOf(subject), endOf(everybody));
      // What is older than that has ended by itself.
      if (end < now() - rememberedForMs) return;
      // A token knows whole seconds only: one of the same second is refused.
      if ((decodeJwt(token).iat ?? 0) > Math.floor(end / 1000)) return;
      throw unauthenticated('The account of this token was signed out everywhere, or has ended.');
    },
  };
}

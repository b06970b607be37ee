import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SessionScope } from '../model.ts';

/**
 * A session cookie is 32 random bytes and a tag that only Haic can make, for one host. The tag keeps nothing secret: it lets a
 * router throw away planted and made-up cookies without asking the database.
 */
export interface CookieValues {
  create(scope: SessionScope): { value: string; id: string };
  isGenuine(value: string, scope: SessionScope): boolean;
}

/** The key of a session's row. Of 256 random bits a plain hash is enough. */
export const sessionIdOf = (value: string): string => hash('sha256', value, 'base64url');

const shape = /^[\w-]{43}\.[\w-]{22}$/;

export function createCookieValues(key: Buffer): CookieValues {
  const tagOf = (random: string, scope: SessionScope) =>
    createHmac('sha256', key)
      .update(`${scope === 'portal' ? 'portal' : scope.instanceId}:${random}`)
      .digest('base64url')
      .slice(0, 22);
  return {
    create: (scope) => {
      const random = randomBytes(32).toString('base64url');
      const value = `${random}.${tagOf(random, scope)}`;
      return { value, id: sessionIdOf(value) };
    },
    isGenuine: (value, scope) => {
      if (!shape.test(value)) return false;
      const [random = '', tag = ''] = value.split('.');
      return timingSafeEqual(Buffer.from(tag), Buffer.from(tagOf(random, scope)));
    },
  };
}

import { open, seal } from '@haic/kit/keys.ts';
import { type CookieJar, parseCookies, valuesOf } from '../cookies.ts';
import type { Challenge, PersonalTokenKind } from './issuer.ts';

/** A sign-in under way. It lives sealed in a short cookie, which is what binds it to the browser that began it. */
export interface Transaction extends Challenge {
  readonly purpose: 'sign-in' | 'app-grant' | PersonalTokenKind;
  readonly next: string;
  /** Of an app that its owner grants to act for them. */
  readonly instanceId?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

const lifetimeMs = 10 * 60_000;
/** More sign-ins than this at once are forgotten ones. */
const mostAtOnce = 5;
const mostTried = 8;

export interface Transactions {
  /** The cookies that keep it. */
  begin(transaction: Transaction, cookieHeader: string | undefined): string[];
  /** Undefined when this browser did not begin it, or too long ago. */
  find(state: string, cookieHeader: string | undefined): Transaction | undefined;
  /** The cookie line that forgets it. */
  forget(state: string): string;
}

export function createTransactions(jar: CookieJar, sealingKey: Buffer): Transactions {
  const openOne = (value: string, state: string): Transaction | undefined => {
    try {
      const plain = open(sealingKey, Buffer.from(value, 'base64url'), `sign-in:${state}`);
      const transaction = JSON.parse(plain.toString()) as Transaction;
      return Date.now() - transaction.startedAt < lifetimeMs ? transaction : undefined;
    } catch {
      // Planted, or of another installation: as good as none.
      return undefined;
    }
  };
  return {
    begin: (transaction, cookieHeader) => {
      const others = new Set(
        parseCookies(cookieHeader)
          .map(({ name }) => name)
          .filter((name) => name.startsWith(jar.signInPrefix) && /^[\w-]+$/.test(name)),
      );
      const sealed = seal(sealingKey, JSON.stringify(transaction), `sign-in:${transaction.state}`);
      const cookie = jar.set(jar.signIn(transaction.state), sealed.toString('base64url'), lifetimeMs / 1000);
      return others.size < mostAtOnce
        ? [cookie]
        : [...[...others].map((name) => jar.set(name, '', 0)), cookie];
    },
    find: (state, cookieHeader) => {
      for (const value of valuesOf(cookieHeader, jar.signIn(state)).slice(0, mostTried)) {
        const transaction = openOne(value, state);
        if (transaction !== undefined) return transaction;
      }
      return undefined;
    },
    forget: (state) => jar.set(jar.signIn(state), '', 0),
  };
}

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Logger } from '@haic/kit/logging.ts';
import { type Person, usernameOf } from './model.ts';
import { verifyPassword } from './passwords.ts';
import type { PeopleStore } from './store.ts';
import type { SignInThrottle } from './throttle.ts';

export type SignInResult =
  | { readonly kind: 'welcome'; readonly person: Person; readonly browserToken: string }
  | { readonly kind: 'wrong'; readonly personId: string | undefined }
  | { readonly kind: 'wait'; readonly seconds: number };

/**
 * Checks a user name and password. The answer is the same, in words and in time, whether the person does not exist, is disabled
 * or the password is wrong.
 */
export type CheckPassword = (attempt: {
  username: string;
  password: string;
  address: string;
  /** The value of the browser's cookie from an earlier sign-in. */
  browserToken: string | undefined;
}) => Promise<SignInResult>;

export function createPasswordCheck(parts: {
  people: PeopleStore;
  throttle: SignInThrottle;
  browserKey: Buffer;
  logger: Logger;
}): CheckPassword {
  const { people, throttle, browserKey, logger } = parts;
  return async ({ username: raw, password, address, browserToken }) => {
    const username = usernameOf(raw).slice(0, 127);
    const person = await people.byUsername(username);
    const knownBrowser =
      person === undefined ? undefined : openBrowserToken(browserKey, browserToken, person.id);
    const attempt = { username, address, knownBrowser };

    const wait = await throttle.begin(attempt);
    if (wait > 0) {
      logger.warn({ event: 'sign-in-refused', username, address }, 'Too many failed attempts to sign in.');
      return { kind: 'wait', seconds: Math.ceil(wait / 1000) };
    }
    const right = await verifyPassword(password, person?.passwordHash);
    if (!right || person === undefined || person.disabled) {
      logger.warn({ event: 'sign-in-failed', username, address }, 'An attempt to sign in failed.');
      return { kind: 'wrong', personId: person?.id };
    }
    await throttle.succeeded(attempt);
    await people.signedIn(person.id);
    logger.info({ event: 'sign-in', username, address }, 'Someone signed in.');
    const browser = knownBrowser ?? randomBytes(16).toString('base64url');
    return { kind: 'welcome', person, browserToken: makeBrowserToken(browserKey, browser, person.id) };
  };
}

const tagOf = (key: Buffer, browser: string, personId: string) =>
  createHmac('sha256', key)
    .update(JSON.stringify([browser, personId]))
    .digest();

const makeBrowserToken = (key: Buffer, browser: string, personId: string) =>
  `${browser}.${tagOf(key, browser, personId).toString('base64url')}`;

/** The browser's id, if the token was made for this person here. */
function openBrowserToken(key: Buffer, token: string | undefined, personId: string): string | undefined {
  const [browser, tag] = (token ?? '').split('.');
  if (browser === undefined || browser === '' || tag === undefined) return undefined;
  const expected = tagOf(key, browser, personId);
  const given = Buffer.from(tag, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected) ? browser : undefined;
}

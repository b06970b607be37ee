import { createHmac, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { deriveKey, open, seal } from '@haic/kit/keys.ts';
import { decodeJwt } from 'jose';
import { LRUCache } from 'lru-cache';
import { driveError } from './errors.ts';
import type { Credentials, DriveSession, IssuedCredentials } from './model.ts';

/** Of the claims, deflated: what is longer would not fit into the headers that clients send it in. */
const longestSealed = 12 * 1024;
const longestClaims = 256 * 1024;
/** In characters of session tokens: so much is remembered of what was opened. */
const rememberedCharacters = 8 * 1024 * 1024;

export interface Sessions {
  /** Throws `PackedPolicyTooLarge` for somebody in more groups than fit. */
  issue(
    principal: Principal,
    durationSeconds: number,
    options?: { readonly now?: number; readonly share?: string | undefined; readonly isTold?: boolean },
  ): IssuedCredentials;
  open(accessKeyId: string, sessionToken: string, now: number): Credentials;
}

/**
 * Temporary keys that no table holds: the session token is the session, sealed; the secret follows from the key's id. So each process that has
 * the master key verifies them, also while the database is away. That somebody may no longer act is asked beside (`standing.ts`).
 */
export function createSessions(masterKey: Buffer): Sessions {
  const sealingKey = deriveKey(masterKey, 'drive:sessions');
  const secretKey = deriveKey(masterKey, 'drive:secrets');
  const secretOf = (accessKeyId: string) =>
    createHmac('sha256', secretKey).update(accessKeyId).digest('base64').slice(0, 40);
  // What a token holds never changes: it is opened once, and what is asked of it with each request is whether its time is over.
  const opened = new LRUCache<string, Credentials>({
    maxSize: rememberedCharacters,
    sizeCalculation: (_, key) => key.length,
  });
  const openOnce = (accessKeyId: string, sessionToken: string): Credentials => {
    const name = `${accessKeyId} ${sessionToken}`;
    const known = opened.get(name);
    if (known !== undefined) return known;
    const session = openSession(sealingKey, accessKeyId, sessionToken);
    const credentials = { session, secretAccessKey: secretOf(accessKeyId) };
    opened.set(name, credentials);
    return credentials;
  };
  return {
    issue: (principal, durationSeconds, { now = Date.now(), share, isTold } = {}) => {
      const accessKeyId = `HAIC${base32(randomBytes(16)).slice(0, 16)}`;
      const issuedAt = Math.floor(now / 1000);
      const whole = sessionOf(principal, issuedAt, issuedAt + durationSeconds);
      const session: DriveSession = {
        ...whole,
        ...(share === undefined ? {} : { signIn: undefined, share }),
        ...(isTold === undefined ? {} : { isTold }),
      };
      const packed = deflateRawSync(JSON.stringify(session));
      if (packed.length > longestSealed)
        throw driveError('PackedPolicyTooLarge', 'You are in more groups than fit into temporary keys.');
      return {
        accessKeyId,
        secretAccessKey: secretOf(accessKeyId),
        sessionToken: seal(sealingKey, packed, accessKeyId).toString('base64'),
        expiresAt: new Date(session.expiresAt * 1000),
      };
    },
    open: (accessKeyId, sessionToken, now) => {
      if (sessionToken === '')
        throw driveError(
          'InvalidAccessKeyId',
          'Drive knows temporary keys only; send their session token, too.',
        );
      const credentials = openOnce(accessKeyId, sessionToken);
      if (credentials.session.expiresAt * 1000 <= now)
        throw driveError('ExpiredToken', 'These temporary keys have expired. Ask for new ones.');
      return credentials;
    },
  };
}

export function sessionOf(principal: Principal, issuedAt: number, expiresAt: number): DriveSession {
  const { subject, username, roles, groups, party, partyKind, instanceId, token } = principal;
  const { sid } = decodeJwt(token);
  const signIn = typeof sid === 'string' ? sid : undefined;
  return { subject, username, roles, groups, party, partyKind, instanceId, signIn, issuedAt, expiresAt };
}

function openSession(key: Buffer, accessKeyId: string, sessionToken: string): DriveSession {
  if (!/^HAIC[A-Z2-7]{16}$/.test(accessKeyId))
    throw driveError('InvalidAccessKeyId', 'This access key was not given out here.');
  try {
    const packed = open(key, Buffer.from(sessionToken, 'base64'), accessKeyId);
    return JSON.parse(inflateRawSync(packed, { maxOutputLength: longestClaims }).toString()) as DriveSession;
  } catch (cause) {
    throw driveError('InvalidToken', 'The session token is not one of ours, or not of this access key.', {
      cause,
    });
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const base32 = (bytes: Buffer): string => [...bytes].map((byte) => letters[byte & 31]).join('');

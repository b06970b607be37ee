import { errors, type JWTPayload, jwtVerify } from 'jose';
import { HaicError, messageOf, unauthenticated, unavailable } from '../errors.ts';
import { createKeySet, type KeySetTimes, type KeySource, otherIssuerTimes } from './key-set.ts';
import { instanceOfParty, type Principal, partyKindOf } from './principal.ts';

export type TokenVerifier = (token: string) => Promise<Principal>;

const deadlineMs = 5_000;

export interface TokenVerifierOptions {
  /** Compared byte for byte with `iss`. */
  readonly issuer: string;
  readonly audience: string;
  /** Left out, the issuer's own discovery document says it, asked at first use. */
  readonly jwksUrl?: string;
  /** How to reach the issuer, when it is not dialled by its public name (e.g. over a socket). */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How old its keys may be; as for an issuer elsewhere by default. */
  readonly keyTimes?: KeySetTimes;
}

/** Signature algorithms that an issuer of ours may use: asymmetric ones only, so that a public key can never verify an HMAC. */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/**
 * Verifies access tokens as RFC 9068 and RFC 8725 ask: signature by the issuer's published keys, issuer, audience, expiry, and an
 * authorised party that Haic knows. Keys are cached; an unknown `kid` refreshes them, bounded (`key-set.ts`).
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  let known: Promise<KeySource> | undefined;
  const keySource = () => {
    known ??= keySourceOf(options).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  return (token) => verifyToken(token, async (header, input) => (await keySource())(header, input), options);
}

async function keySourceOf(options: TokenVerifierOptions): Promise<KeySource> {
  const jwksUrl = options.jwksUrl ?? (await discoverKeys(options.issuer, options.fetch ?? fetch));
  return createKeySet({
    url: jwksUrl,
    fetch: options.fetch ?? fetch,
    times: options.keyTimes ?? otherIssuerTimes,
  });
}

/** OpenID Connect Discovery 1.0 §4: the document must name the very issuer that it was asked from (§4.3). */
async function discoverKeys(
  issuer: string,
  ask: (url: string, init: RequestInit) => Promise<Response>,
): Promise<string> {
  const response = await ask(`${issuer}/.well-known/openid-configuration`, {
    redirect: 'error',
    signal: AbortSignal.timeout(deadlineMs),
  });
  if (!response.ok) throw new Error(`its discovery document answers ${response.status}`);
  const document: unknown = await response.json();
  if (!isRecord(document) || document.issuer !== issuer || typeof document.jwks_uri !== 'string')
    throw new Error('its discovery document is not that of this issuer');
  return document.jwks_uri;
}

export async function verifyToken(
  token: string,
  keys: KeySource,
  expected: { issuer: string; audience: string },
): Promise<Principal> {
  const payload = await checkSignatureAndTimes(token, keys, expected);
  const party = textClaim(payload, 'azp') ?? textClaim(payload, 'client_id');
  const partyKind = party === undefined ? undefined : partyKindOf(party);
  if (party === undefined || partyKind === undefined) {
    throw unauthenticated('This access token was issued to a client that Haic does not know.');
  }
  if (payload.sub === undefined || payload.exp === undefined)
    throw unauthenticated('This access token names nobody or never ends.');
  return {
    subject: payload.sub,
    username: textClaim(payload, 'preferred_username') ?? payload.sub,
    name: textClaim(payload, 'name'),
    email: textClaim(payload, 'email'),
    roles: textList(isRecord(payload.realm_access) ? payload.realm_access.roles : undefined),
    groups: textList(payload.groups),
    party,
    partyKind,
    instanceId: instanceOfParty(party),
    expiresAt: payload.exp,
    token,
  };
}

async function checkSignatureAndTimes(
  token: string,
  keys: KeySource,
  expected: { issuer: string; audience: string },
) {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: expected.issuer,
      audience: expected.audience,
      algorithms,
      clockTolerance: 10,
    });
    return payload;
  } catch (error) {
    if (error instanceof HaicError) throw error;
    if (error instanceof errors.JOSEError) {
      throw unauthenticated(`This access token is not valid here (${error.code}). Sign in again.`, {
        cause: error,
      });
    }
    throw unavailable(
      'issuer_unavailable',
      `The sign-in service cannot be reached (${messageOf(error)}). Try again in a moment.`,
      { cause: error },
    );
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const textClaim = (payload: JWTPayload, name: string): string | undefined => {
  const value = payload[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

const textList = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

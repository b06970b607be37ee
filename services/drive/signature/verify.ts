import { type KeyObject, timingSafeEqual } from 'node:crypto';
import { driveError } from '../errors.ts';
import type { Credentials, DriveSession } from '../model.ts';
import {
  type CredentialScope,
  canonicalRequest,
  type SignableRequest,
  scopeText,
  sign,
  signingKeyOf,
  stringToSign,
} from './canonical.ts';
import { percentDecode, percentEncodePath } from './encoding.ts';
import { payloadHashOf } from './payload.ts';
import { type Authorization, readAuthorization } from './read-authorization.ts';

/** By so much a client's clock may be wrong. */
export const clockToleranceMs = 15 * 60_000;

/** A request whose signature holds. */
export interface VerifiedRequest {
  readonly session: DriveSession;
  readonly authorization: Authorization;
  /** What signed it; signs the chunks of a streamed body, too. */
  readonly signingKey: KeyObject;
  /** `x-amz-content-sha256`, or `UNSIGNED-PAYLOAD` of a presigned address. */
  readonly payloadHash: string;
}

/** Opens what STS gave; throws `InvalidToken`, `ExpiredToken` or `InvalidAccessKeyId`. */
export type OpenCredentials = (accessKeyId: string, sessionToken: string, now: number) => Credentials;

/** Signature Version 4: whose key it is, whether it is in time, whether it signed this very request. */
export function verifySignature(
  request: SignableRequest,
  open: OpenCredentials,
  now: number = Date.now(),
): VerifiedRequest {
  const authorization = readAuthorization(request);
  checkTime(authorization, now);
  const credentials = open(authorization.accessKeyId, authorization.sessionToken, now);
  const payloadHash = payloadHashOf(request, authorization);
  const signingKey = lastSigningKeyOf(credentials, authorization.scope);
  checkSignature(request, authorization, signingKey, payloadHash);
  checkAllIsSigned(request, authorization);
  return { session: credentials.session, authorization, signingKey, payloadHash };
}

/** A client signs with one key a day; it takes four HMACs to make. Known as long as the credentials are. */
const signingKeys = new WeakMap<Credentials, { readonly scope: string; readonly key: KeyObject }>();

function lastSigningKeyOf(credentials: Credentials, scope: CredentialScope): KeyObject {
  const wanted = scopeText(scope);
  const last = signingKeys.get(credentials);
  if (last?.scope === wanted) return last.key;
  const key = signingKeyOf(credentials.secretAccessKey, scope);
  signingKeys.set(credentials, { scope: wanted, key });
  return key;
}

function checkTime({ signedAt, expiresIn }: Authorization, now: number): void {
  if (expiresIn !== undefined) {
    if (signedAt - now > clockToleranceMs)
      throw driveError('AccessDenied', 'This address is not valid yet; is the clock of who made it right?');
    if (now >= signedAt + expiresIn * 1000)
      throw driveError('AccessDenied', 'This address has expired. Ask for a new one.');
  } else if (Math.abs(now - signedAt) > clockToleranceMs)
    throw driveError(
      'RequestTimeTooSkewed',
      `This request was signed at ${new Date(signedAt).toISOString()}, and it is ${new Date(now).toISOString()} here. Set the clock of your machine.`,
    );
}

/**
 * The path is signed as it was sent. Clients and proxies may write the same path differently on its way; what is tried then means the same key.
 */
function checkSignature(
  request: SignableRequest,
  authorization: Authorization,
  key: KeyObject,
  payloadHash: string,
): void {
  const given = Buffer.from(authorization.signature);
  const holds = (path: string) => {
    const canonical = canonicalRequest(request, path, authorization.signedHeaders, payloadHash);
    const wanted = sign(key, stringToSign(authorization.timestamp, authorization.scope, canonical));
    return timingSafeEqual(given, Buffer.from(wanted));
  };
  if (holds(request.rawPath)) return;
  const decoded = percentDecode(request.rawPath);
  if (decoded !== undefined && holds(percentEncodePath(decoded))) return;
  throw driveError(
    'SignatureDoesNotMatch',
    'The signature is not that of this request with this key. A proxy in between must leave path and Host as they are.',
  );
}

/** What is not signed anybody on the way could have added: for what changes the meaning of a request that would be as good as no signature. */
function checkAllIsSigned({ headers }: SignableRequest, { by, signedHeaders }: Authorization): void {
  for (const name of headers.keys()) {
    const matters = name.startsWith('x-amz-') && !(by === 'query' && name === 'x-amz-content-sha256');
    if (matters && !signedHeaders.includes(name))
      throw driveError('AccessDenied', `The header ${name} is there and not signed.`);
  }
}

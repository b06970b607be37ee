import { enforceDeed } from '@haic/kit/auth/party-policy.ts';
import type { Principal } from '@haic/kit/auth/principal.ts';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { HaicError } from '@haic/kit/errors.ts';
import { errors } from 'jose';
import { driveError } from '../errors.ts';
import type { IssuedCredentials } from '../model.ts';
import type { Sessions } from '../sessions.ts';
import type { Standing } from '../standing.ts';

const shortestSeconds = 900;
const longestSeconds = 43_200;
const defaultSeconds = 3600;
const longestToken = 20_000;

export interface AssumedRole {
  readonly credentials: IssuedCredentials;
  readonly principal: Principal;
  /** As the client named it. */
  readonly sessionName: string;
}

/** `AssumeRoleWithWebIdentity` of the STS Query API, version 2011-06-15: an access token for temporary keys. The role is passed over. */
export async function assumeRole(
  form: URLSearchParams,
  parts: {
    readonly verifyToken: TokenVerifier;
    readonly sessions: Sessions;
    readonly standing: Standing;
  },
): Promise<AssumedRole> {
  checkAction(form);
  const durationSeconds = durationOf(form);
  const token = tokenOf(form);
  const principal = await verify(token, parts.verifyToken);
  const credentials = parts.sessions.issue(principal, durationSeconds);
  const { session } = parts.sessions.open(credentials.accessKeyId, credentials.sessionToken, Date.now());
  await parts.standing.check(session).catch((error: unknown) => {
    if (error instanceof HaicError && error.code === 'ExpiredToken')
      throw driveError('IDPRejectedClaim', error.message);
    throw error;
  });
  return { credentials, principal, sessionName: (form.get('RoleSessionName') ?? '').slice(0, 64) };
}

function checkAction(form: URLSearchParams): void {
  const action = form.get('Action') ?? '';
  if (action !== 'AssumeRoleWithWebIdentity')
    throw driveError('InvalidAction', 'Drive gives temporary keys by AssumeRoleWithWebIdentity only.');
  if (form.get('Version') !== '2011-06-15')
    throw driveError('InvalidAction', 'The version of this action is 2011-06-15.');
}

function durationOf(form: URLSearchParams): number {
  const text = form.get('DurationSeconds') ?? String(defaultSeconds);
  const seconds = Number(text);
  if (!/^\d{1,6}$/.test(text) || seconds < shortestSeconds || seconds > longestSeconds)
    throw driveError('ValidationError', `DurationSeconds must be ${shortestSeconds} to ${longestSeconds}.`);
  return seconds;
}

function tokenOf(form: URLSearchParams): string {
  const token = form.get('WebIdentityToken') ?? '';
  if (token === '') throw driveError('MissingParameter', 'WebIdentityToken, an access token, is missing.');
  if (token.length < 4 || token.length > longestToken)
    throw driveError('ValidationError', `WebIdentityToken must have 4 to ${longestToken} characters.`);
  return token;
}

async function verify(token: string, verifyToken: TokenVerifier): Promise<Principal> {
  try {
    const principal = await verifyToken(token);
    enforceDeed(principal, 'use Drive');
    return principal;
  } catch (error) {
    throw stsError(error);
  }
}

/** The codes that clients have types for. */
function stsError(error: unknown): unknown {
  if (!(error instanceof HaicError)) return error;
  const options = { cause: error };
  if (error.cause instanceof errors.JWTExpired)
    return driveError('ExpiredTokenException', 'This access token has expired. Sign in again.', options);
  if (error.status === 503) return driveError('IDPCommunicationError', error.message, options);
  if (error.status === 403) return driveError('IDPRejectedClaim', error.message, options);
  return driveError('InvalidIdentityToken', error.message, options);
}

import { hasLastingTokens } from './clients.ts';

const hour = 60 * 60;
const day = 24 * hour;

/** All in seconds. */
export const lifetimes = {
  /** What is verified without asking the issuer must be short. */
  accessToken: 5 * 60,
  /** Spent at once, and verified by others who know nothing of sign-outs here. */
  exchangedToken: 2 * 60,
  idToken: hour,
  authorizationCode: 60,
  interaction: hour,
  deviceCode: 10 * 60,
  /** A session ends when nothing used it for this long (a refresh counts as use) … */
  sessionIdle: day,
  /** … and at the latest this long after the password was typed. */
  sessionAbsolute: 7 * day,
  /** A platform token has no end of its own: it is revoked. */
  lastingToken: 10 * 365 * day,
} as const;

export const tokenLifetimeOf = (clientId: string | undefined): number =>
  hasLastingTokens(clientId) ? lifetimes.lastingToken : lifetimes.sessionAbsolute;

/** Seconds since the epoch at which a session ends that is used now. */
export function sessionEnd(session: { loginTs?: number | undefined }, now = Math.floor(Date.now() / 1000)) {
  const idle = now + lifetimes.sessionIdle;
  return session.loginTs === undefined ? idle : Math.min(idle, session.loginTs + lifetimes.sessionAbsolute);
}

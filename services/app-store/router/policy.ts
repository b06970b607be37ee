import type { PartyKind } from '@haic/kit/auth/principal.ts';
import { type InstanceRoute, isAdmin, mayOpen } from '@haic/services/app-store/scheduler/client.ts';

/** Who stands before an instance: nobody (no subject), a browser's session, or a bearer of a token. */
export interface Caller {
  readonly subject?: string;
  readonly roles: readonly string[];
  /** The kind of client a bearer token was issued to. */
  readonly party?: PartyKind;
  readonly viaInstance?: string;
}

export const nobody: Caller = { roles: [] };

export type Passage =
  | { readonly pass: true }
  | { readonly pass: false; readonly because: 'sign_in_required' | 'not_found' | 'wrong_token' };

const wrongToken = { pass: false, because: 'wrong_token' } as const;

/** Whether a request may go through to an instance. */
export function mayPass(route: InstanceRoute, caller: Caller): Passage {
  // A service opens no app on anybody's behalf, and an app's token is worth nothing at another app (design §6).
  if (caller.party === 'service') return wrongToken;
  if (caller.party === 'app' && caller.viaInstance !== route.instanceId) return wrongToken;
  const decision = mayOpen(route, caller);
  return decision.allowed ? { pass: true } : { pass: false, because: decision.reason };
}

/**
 * Whom the page of a paused instance offers to resume it; unknown who came without signing in, as to a PUBLIC one. Only what is
 * shown: the scheduler decides whether they may.
 */
export const mayResume = (route: InstanceRoute, caller: Caller): boolean | 'unknown' => {
  if (caller.subject === undefined) return 'unknown';
  return caller.party !== 'app' && (caller.subject === route.owner || isAdmin(caller.roles));
};

/**
 * Whether the browser says that another site's or app's page made it send this. Such a request gets no session: apps of one
 * installation share a registrable domain, so SameSite does not keep them apart.
 */
export function isForeignSubrequest(headers: {
  readonly 'sec-fetch-site'?: string | string[] | undefined;
  readonly 'sec-fetch-mode'?: string | string[] | undefined;
}): boolean {
  const site = headers['sec-fetch-site'];
  return (site === 'same-site' || site === 'cross-site') && headers['sec-fetch-mode'] !== 'navigate';
}

export const isSafeMethod = (method: string | undefined): boolean =>
  method === 'GET' || method === 'HEAD' || method === 'OPTIONS';

import type { IncomingMessage } from 'node:http';
import type { Principal } from '@haic/kit/auth/principal.ts';
import type { InstanceRoute } from '@haic/services/app-store/scheduler/client.ts';
import type { RouterContext } from '../context.ts';
import { valuesOf } from '../cookies.ts';
import type { PortalSession, Session } from '../model.ts';
import { type Caller, isForeignSubrequest, isSafeMethod, mayPass, nobody, type Passage } from '../policy.ts';
import { portalSessionOf } from '../sessions/sessions.ts';
import { bearerOf } from './bearer.ts';

/** Who asks, and whether they may pass. */
export interface Admission {
  readonly caller: Caller;
  /** The portal session behind the request's cookie, if that is how the caller is known. */
  readonly session: PortalSession | undefined;
  readonly passage: Passage | { readonly pass: false; readonly because: 'foreign_origin' };
}

export interface Door {
  /** The origin that the browser must be on: the host that was asked. */
  readonly origin: string;
  readonly upgrade: boolean;
  /** Path in the app, without its base. */
  readonly appPath: string;
}

/** Authenticates and authorises one request or upgrade to an instance. At once if everything is known here. */
export function admit(
  context: RouterContext,
  request: IncomingMessage,
  route: InstanceRoute,
  door: Door,
): Admission | Promise<Admission> {
  const { headers } = request;
  const token = bearerOf(headers.authorization);
  if (token !== undefined && !(route.visibility === 'PUBLIC' && !route.oidc)) {
    const principal = context.bearerTokens.verify(token);
    return principal instanceof Promise
      ? principal.then((known) => admitBearer(known, request, route, door))
      : admitBearer(principal, request, route, door);
  }
  // Nothing is asked of who opens a PUBLIC app; one with sign-in of its own needs the session to keep that sign-in apart.
  if (route.visibility === 'PUBLIC' && !route.oidc) return decide(undefined, request, route, door);
  const values = isForeignSubrequest(headers) ? [] : valuesOf(headers.cookie, context.jar.session);
  if (values.length === 0) return decide(undefined, request, route, door);
  const session = context.sessions.find(values, { instanceId: route.instanceId });
  return session instanceof Promise
    ? session.then((found) => admitSession(context, found, request, route, door))
    : admitSession(context, session, request, route, door);
}

const foreign = { pass: false, because: 'foreign_origin' } as const;

function admitBearer(
  principal: Principal,
  request: IncomingMessage,
  route: InstanceRoute,
  door: Door,
): Admission {
  const caller: Caller = {
    subject: principal.subject,
    roles: principal.roles,
    party: principal.partyKind,
    ...(principal.instanceId === undefined ? {} : { viaInstance: principal.instanceId }),
  };
  const { origin } = request.headers;
  const strange = door.upgrade && origin !== undefined && origin !== door.origin;
  return { caller, session: undefined, passage: strange ? foreign : mayPass(route, caller) };
}

function admitSession(
  context: RouterContext,
  session: Session | undefined,
  request: IncomingMessage,
  route: InstanceRoute,
  door: Door,
): Admission | Promise<Admission> {
  if (session === undefined) return decide(undefined, request, route, door);
  const portal = portalSessionOf(session);
  const fresh = context.freshTokens.keepFresh(portal);
  if (fresh === true) return decide(portal, request, route, door);
  return fresh.then((goesOn) => decide(goesOn ? portal : undefined, request, route, door));
}

export const callerOf = (session: PortalSession): Caller => ({
  subject: session.person.subject,
  roles: session.person.roles,
});

function decide(
  session: PortalSession | undefined,
  request: IncomingMessage,
  route: InstanceRoute,
  door: Door,
): Admission {
  const caller = session === undefined ? nobody : callerOf(session);
  if (isForeignOrigin(request, session, door)) return { caller, session, passage: foreign };
  // waved's own sign-in must belong to a session of ours, or it would outlive our sign-out.
  if (session === undefined && route.oidc && door.appPath.startsWith('/_auth/'))
    return { caller, session, passage: { pass: false, because: 'sign_in_required' } };
  return { caller, session, passage: mayPass(route, caller) };
}

/**
 * A WebSocket may be opened, and anything changed, only from the app's own pages: browsers send our cookie along with requests
 * that other apps' pages make. A WebSocket with a session must say where it comes from.
 */
function isForeignOrigin(request: IncomingMessage, session: PortalSession | undefined, door: Door): boolean {
  const { origin } = request.headers;
  if (door.upgrade) return origin === undefined ? session !== undefined : origin !== door.origin;
  if (session === undefined || isSafeMethod(request.method)) return false;
  return origin !== undefined && origin !== door.origin;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { forbidden, HaicError, unavailable } from '@haic/kit/errors.ts';
import { forward } from '@haic/kit/proxy/forward.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import type { HeaderRules } from '@haic/kit/proxy/headers.ts';
import { requestIdOf } from '@haic/kit/telemetry/request-id.ts';
import { forwardedHeaders, isIdentityClaim, type RouterContext, requestIdHeaders } from '../context.ts';
import {
  cookiesForConnections,
  cookiesForIssuer,
  isConnectCookie,
  setCookieFromApp,
  valuesOf,
} from '../cookies.ts';
import type { LiveConnection } from '../live-connections.ts';
import type { PortalSession } from '../model.ts';
import { badRequest, platformUnavailable } from '../pages/pages.ts';
import { isForeignSubrequest, isSafeMethod } from '../policy.ts';
import { sendEither, sendProblem } from '../respond.ts';

/** The portal's session of a request, if its cookie is genuine and the request comes from the portal itself. */
export async function portalSession(
  context: RouterContext,
  request: IncomingMessage,
): Promise<PortalSession | undefined> {
  if (isForeignSubrequest(request.headers)) return undefined;
  const values = valuesOf(request.headers.cookie, context.jar.session);
  if (values.length === 0) return undefined;
  const session = await context.sessions.find(values, 'portal');
  return session?.kind === 'portal' ? session : undefined;
}

/** Why a request that changes something may not be carried out for the session; undefined when it may. */
export function csrfProblem(
  context: RouterContext,
  request: IncomingMessage,
  session: PortalSession,
  token: string | undefined,
): HaicError | undefined {
  if (request.headers.origin !== context.hosts.portalOrigin)
    return forbidden('foreign_origin', 'Only pages of Haic itself may send this request.');
  if (token !== context.sessions.csrfToken(session))
    return forbidden('csrf_token_wrong', 'The X-Haic-Csrf header is missing or old. Reload the page.');
  return undefined;
}

/** A call of the API with the portal's cookie becomes one with the person's token; the cookie itself stays here. */
export async function proxyApi(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
): Promise<void> {
  // Whoever brings a token is judged by it alone.
  const session =
    request.headers.authorization === undefined ? await portalSession(context, request) : undefined;
  if (session === undefined) {
    proxyToCore(context, request, response, head);
    return;
  }
  if (!isSafeMethod(request.method)) {
    const header = request.headers['x-haic-csrf'];
    const problem = csrfProblem(context, request, session, Array.isArray(header) ? undefined : header);
    if (problem !== undefined) {
      sendProblem(request, response, problem);
      return;
    }
  }
  const accessToken = await context.freshTokens.accessToken(session);
  if (accessToken === undefined) {
    sendNoToken(context, request, response, session);
    return;
  }
  const connection: LiveConnection = {
    portalSessionId: session.id,
    subject: session.person.subject,
    instanceId: undefined,
    stillAllowed: () => true,
    close: () => response.destroy(),
  };
  const forget = context.live.add(connection);
  response.on('close', forget);
  proxyToCore(context, request, response, head, accessToken);
}

function sendNoToken(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  session: PortalSession,
): void {
  const ended = context.sessions.current(session.id) === undefined;
  sendProblem(
    request,
    response,
    ended
      ? new HaicError('session_ended', 401, 'Your session has ended. Sign in again.')
      : unavailable('issuer_unavailable', 'The sign-in service cannot be reached. Try again in a moment.'),
  );
}

/** Everything on the portal's host that is not the router's own goes to core. */
export function proxyToCore(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
  accessToken?: string,
): void {
  forward(request, response, {
    upstream: context.core,
    path: head.path,
    rules: coreRules(context, request, head, accessToken),
    failed: (failure) => {
      if (failure.kind === 'invalid') {
        const error = new HaicError('invalid_request', 400, 'This request cannot be passed on.');
        sendEither(request, response, error, badRequest(error.message));
        return;
      }
      context.logger.warn(
        { requestId: requestIdOf(request) },
        `core does not answer: ${failure.cause.message}`,
      );
      const what = 'This part of Haic is restarting.';
      sendEither(request, response, unavailable('core_unavailable', what), platformUnavailable(what));
    },
  });
}

/** Cookies are the issuer's, the router's or of a login at another provider: nothing else on this host reads any. */
const issuerPrefix = '/auth/realms/';
const connectionsPrefix = '/api/connections/';
/** Where the portal begins such a login: the cookie that ties it to the browser comes from there, and is told to nothing there. */
const accountsPrefix = '/api/v1/connected-accounts/';

function coreRules(
  context: RouterContext,
  request: IncomingMessage,
  head: RequestHead,
  accessToken: string | undefined,
): HeaderRules {
  const atIssuer = head.path.startsWith(issuerPrefix);
  const atConnections = head.path.startsWith(connectionsPrefix);
  // The launcher's signature travels in headers of its own.
  const atLauncher = head.path.startsWith('/api/launcher/');
  const added = [...forwardedHeaders(context, request, head.host), ...requestIdHeaders(request)];
  if (accessToken !== undefined) added.push('authorization', `Bearer ${accessToken}`);
  return {
    request: (name, value) => {
      if (name === 'cookie') {
        if (atConnections) return cookiesForConnections(value);
        return atIssuer ? cookiesForIssuer(value) : undefined;
      }
      if (name === 'authorization') return accessToken === undefined ? value : undefined;
      if (name === 'x-haic-timestamp' || name === 'x-haic-signature') return atLauncher ? value : undefined;
      if (name === 'x-haic-file-name') return value;
      return isIdentityClaim(name) ? undefined : value;
    },
    addToRequest: added,
    response: (name, value) => {
      if (name !== 'set-cookie') return value;
      if (atConnections || head.path.startsWith(accountsPrefix))
        return isConnectCookie(value) ? value : undefined;
      return atIssuer ? value : setCookieFromApp(value, head.host, undefined);
    },
    completeResponse: (headers) => addSecurityHeaders(headers, context),
  };
}

/** From Drive the portal fetches bytes, and shows pictures; nothing of it is ever a script, a style or a frame. */
const portalPolicy = (objects: string) =>
  `default-src 'self'; connect-src 'self'${objects}; img-src 'self' data:${objects}; style-src 'self' 'unsafe-inline'; ` +
  "object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** What core did not say itself. */
function addSecurityHeaders(
  headers: string[],
  { hosts: { secure }, objectsOrigin }: Pick<RouterContext, 'hosts' | 'objectsOrigin'>,
): void {
  const has = (name: string) => {
    for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return true;
    return false;
  };
  const add = (name: string, value: string) => {
    if (!has(name)) headers.push(name, value);
  };
  add('content-security-policy', portalPolicy(objectsOrigin === undefined ? '' : ` ${objectsOrigin}`));
  add('x-content-type-options', 'nosniff');
  add('referrer-policy', 'same-origin');
  add('cross-origin-opener-policy', 'same-origin');
  if (secure) add('strict-transport-security', 'max-age=31536000');
}

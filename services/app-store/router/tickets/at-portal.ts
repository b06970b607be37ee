import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalid, notFound, unavailable } from '@haic/kit/errors.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import { callerOf } from '../app/admit.ts';
import type { RouterContext } from '../context.ts';
import { isInstanceId } from '../hosts.ts';
import { badRequest, instanceNotFound, platformUnavailable } from '../pages/pages.ts';
import { safeNext } from '../paths.ts';
import { mayPass } from '../policy.ts';
import { portalSession } from '../portal/core-proxy.ts';
import { redirect, sendEither } from '../respond.ts';
import { beginAppGrant } from '../sign-in/app-grant.ts';
import { isBrowserHash } from './tickets.ts';

/** `GET /auth/ticket?instance=&next=&browser=`: the signed-in person gets a ticket for the instance's host. */
export async function issueTicket(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
): Promise<void> {
  const { hosts } = context;
  const { searchParams } = new URL(head.path, hosts.portalOrigin);
  const instanceId = searchParams.get('instance') ?? '';
  const browserHash = searchParams.get('browser') ?? '';
  if (!isInstanceId(instanceId) || !isBrowserHash(browserHash)) {
    const error = invalid('invalid_request', 'This address is not complete. Open the app again.');
    return sendEither(request, response, error, badRequest(error.message));
  }
  const session = await portalSession(context, request);
  if (session === undefined || !(await context.freshTokens.keepFresh(session))) {
    const login = new URL('/login', hosts.portalOrigin);
    login.searchParams.set('next', head.path);
    return redirect(request, response, login.href);
  }
  const route = context.routes.get(instanceId);
  if (route === undefined && !context.routes.known) {
    const what = 'Haic is starting and does not know yet which apps run.';
    return sendEither(request, response, unavailable('routes_unknown', what), platformUnavailable(what));
  }
  if (route === undefined || !mayPass(route, callerOf(session)).pass)
    return sendEither(request, response, notFound('This instance'), instanceNotFound(hosts.portalOrigin));
  const grant = await beginAppGrant(context, request, route, session, head.path);
  if (grant !== undefined) return redirect(request, response, grant.url, { cookies: grant.cookies });
  const origin = hosts.appOrigin(instanceId);
  const next = safeNext(searchParams.get('next'), origin).slice(origin.length);
  const token = await context.tickets.issue({ portalSessionId: session.id, instanceId, browserHash, next });
  redirect(request, response, `${origin}/.haic/ticket?t=${token}`);
}

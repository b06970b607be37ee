import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { forbidden, HaicError, notFound, unauthenticated, unavailable } from '@haic/kit/errors.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import { responseOn } from '@haic/kit/proxy/upgrade.ts';
import { requestIdOf } from '@haic/kit/telemetry/request-id.ts';
import type { InstanceRoute } from '@haic/services/app-store/scheduler/client.ts';
import { clientAddress, type RouterContext } from '../context.ts';
import { foreignRequest, instanceNotFound, platformUnavailable, wrongToken } from '../pages/pages.ts';
import { baseOf, instancePath } from '../paths.ts';
import { isNavigation, redirect, sendEither, sendProblem } from '../respond.ts';
import { beginTicket, redeemTicket } from '../tickets/at-app-host.ts';
import { type Admission, admit } from './admit.ts';
import { appRules } from './app-rules.ts';
import { type Passing, proxyRequest, proxyUpgrade } from './proxy-to-app.ts';

/** Requests to `<instance id>.<host>`. */
export function handleAppRequest(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
  instanceId: string,
): void | Promise<void> {
  if (head.path.startsWith('/.haic/')) return redeemTicket(context, request, response, head, instanceId);
  const route = context.routes.get(instanceId);
  if (route === undefined) return sendUnknown(context, request, response);
  const admission = admitHere(context, request, head, route, false);
  if (admission instanceof Promise)
    return admission.then((known) => proceed(context, request, response, head, route, known));
  proceed(context, request, response, head, route, admission);
}

/** WebSockets of `<instance id>.<host>`. */
export async function handleAppUpgrade(
  context: RouterContext,
  request: IncomingMessage,
  socket: Duplex,
  firstBytes: Buffer,
  head: RequestHead,
  instanceId: string,
): Promise<void> {
  const route = context.routes.get(instanceId);
  if (route === undefined) return sendUnknown(context, request, responseOn(request, socket));
  const admission = await admitHere(context, request, head, route, true);
  const elsewhere = otherForm(context, head.path, route);
  if (!admission.passage.pass) refuse(context, request, responseOn(request, socket), head, route, admission);
  else if (elsewhere !== undefined)
    redirect(request, responseOn(request, socket), elsewhere, { status: 307 });
  else
    proxyUpgrade(context, request, socket, firstBytes, passingOf(context, request, head, route, admission));
}

function admitHere(
  context: RouterContext,
  request: IncomingMessage,
  head: RequestHead,
  route: InstanceRoute,
  upgrade: boolean,
) {
  const base = route.routingMode === 'BASE_URL' ? baseOf(route.instanceId) : '/';
  const appPath = head.path.startsWith(base) ? head.path.slice(base.length - 1) : head.path;
  const origin = context.hosts.appOrigin(route.instanceId);
  return admit(context, request, route, { origin, upgrade, appPath });
}

function proceed(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
  route: InstanceRoute,
  admission: Admission,
): void {
  if (!admission.passage.pass) {
    refuse(context, request, response, head, route, admission);
    return;
  }
  const elsewhere = otherForm(context, head.path, route);
  if (elsewhere !== undefined) redirect(request, response, elsewhere, { status: 307 });
  else proxyRequest(context, request, response, passingOf(context, request, head, route, admission));
}

function passingOf(
  context: RouterContext,
  request: IncomingMessage,
  head: RequestHead,
  route: InstanceRoute,
  admission: Admission,
): Passing {
  const basePath = route.routingMode === 'BASE_URL' ? baseOf(route.instanceId) : '/';
  const rules = appRules(context, request, { host: head.host, session: admission.session, basePath });
  return { route, admission, path: head.path, rules };
}

/** Each instance has one form of address; the other leads there, path and query kept (app-store.md §7). */
function otherForm(context: RouterContext, path: string, route: InstanceRoute): string | undefined {
  const origin = context.hosts.appOrigin(route.instanceId);
  const named = instancePath(path);
  const underOwnName = named?.instanceId === route.instanceId;
  if (route.routingMode === 'DOMAIN') {
    if (!underOwnName) return undefined;
    return `${origin}${named.rest.startsWith('/') ? '' : '/'}${named.rest}`;
  }
  const base = baseOf(route.instanceId);
  if (path.startsWith(base)) return undefined;
  // Also `/instance/<id>` without its slash, and an id in capitals.
  return underOwnName
    ? `${origin}${base}${named.rest.replace(/^\//, '')}`
    : `${origin}${base}${path.slice(1)}`;
}

function refuse(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
  route: InstanceRoute,
  admission: Admission,
): void {
  if (admission.passage.pass) return;
  const { because } = admission.passage;
  const { subject } = admission.caller;
  if (subject !== undefined && (because === 'not_found' || because === 'wrong_token'))
    context.telling.refused(request, clientAddress(context, request), subject, route.instanceId);
  const portal = context.hosts.portalOrigin;
  switch (admission.passage.because) {
    case 'sign_in_required':
      if (isNavigation(request)) beginTicket(context, request, response, route.instanceId, head.path);
      else
        sendProblem(
          request,
          response,
          unauthenticated('Open this app in a browser, or send an access token.'),
        );
      return;
    case 'wrong_token':
      sendEither(
        request,
        response,
        forbidden('wrong_token', 'This token opens no such app.'),
        wrongToken(portal),
      );
      return;
    case 'foreign_origin':
      sendEither(
        request,
        response,
        forbidden('foreign_origin', 'Only pages of this app itself may send this request.'),
        foreignRequest,
      );
      return;
    case 'not_found':
      sendEither(request, response, notFound('This instance'), instanceNotFound(portal));
  }
}

export function sendUnknown(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (context.routes.known)
    sendEither(request, response, notFound('This instance'), instanceNotFound(context.hosts.portalOrigin));
  else sendNotReady(request, response);
}

/** The router has just started and was not yet told what runs. */
function sendNotReady(request: IncomingMessage, response: ServerResponse): void {
  const what = 'Haic is starting and does not know yet which apps run.';
  sendEither(request, response, unavailable('routes_unknown', what), platformUnavailable(what));
}

/** An error that a handler threw. */
export function sendError(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void {
  if (error instanceof HaicError && error.status < 500) {
    sendEither(request, response, error, { title: 'This did not work', text: [error.message] });
    return;
  }
  context.logger.error(
    { err: error, path: request.url?.split('?')[0], requestId: requestIdOf(request) },
    'A request failed.',
  );
  const what = error instanceof HaicError ? error.message : 'A part of Haic is not available right now.';
  sendEither(request, response, unavailable('platform_unavailable', what), platformUnavailable(what));
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import { HaicError, unavailable } from '@haic/kit/errors.ts';
import { forward } from '@haic/kit/proxy/forward.ts';
import type { HeaderRules } from '@haic/kit/proxy/headers.ts';
import { responseOn, upgrade } from '@haic/kit/proxy/upgrade.ts';
import type { UpstreamFailure } from '@haic/kit/proxy/upstream.ts';
import type { InstanceRoute } from '@haic/services/app-store/scheduler/client.ts';
import type { RouterContext } from '../context.ts';
import type { LiveConnection } from '../live-connections.ts';
import {
  appBrokeOff,
  appJustAMoment,
  appPaused,
  appStarting,
  appStopped,
  badRequest,
} from '../pages/pages.ts';
import { type Caller, mayPass, mayResume } from '../policy.ts';
import { isNavigation, sendEither } from '../respond.ts';
import { type Admission, callerOf } from './admit.ts';

export interface Passing {
  readonly route: InstanceRoute;
  readonly admission: Admission;
  /** What the app is asked for. */
  readonly path: string;
  readonly rules: HeaderRules;
}

/** Hands an admitted request to the app, or to its status page while it is not ready. */
export function proxyRequest(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  passing: Passing,
): void {
  const { route } = passing;
  track(context, passing, response);

  const app = route.status === 'DEPLOYED' ? context.routes.upstreamOf(route, 'app') : undefined;
  if (app !== undefined) {
    const failed = (failure: UpstreamFailure) => sendFailure(context, request, response, route, failure);
    forward(request, response, { upstream: app, path: passing.path, rules: passing.rules, failed });
    return;
  }
  // What is being paused may still show its pages; they would say that it is starting.
  const status = route.status === 'SUSPENDED' ? undefined : context.routes.upstreamOf(route, 'status');
  if (status === undefined) {
    sendWaiting(context, request, response, passing);
    return;
  }
  const failed = () => sendWaiting(context, request, response, passing);
  // Whatever was asked for: the page asks the same address again and is in the app once that is ready.
  forward(request, response, { upstream: status, path: '/', rules: passing.rules, failed });
}

/** Hands an admitted WebSocket to the app; there is none before the app is ready. */
export function proxyUpgrade(
  context: RouterContext,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  passing: Passing,
): void {
  const { route } = passing;
  const upstream = route.status === 'DEPLOYED' ? context.routes.upstreamOf(route, 'app') : undefined;
  if (upstream === undefined) {
    sendWaiting(context, request, responseOn(request, socket), passing);
    return;
  }
  track(context, passing, socket);
  upgrade(request, socket, head, {
    upstream,
    path: passing.path,
    rules: passing.rules,
    failed: (failure) => sendFailure(context, request, responseOn(request, socket), route, failure),
  });
}

/**
 * Notes what is open and who opened it. A function of its own, so that what it keeps (an idle WebSocket may live for days) is these
 * few words and not the whole request.
 */
function track(context: RouterContext, passing: Passing, open: Writable): void {
  const { live, routes, sessions } = context;
  const { caller } = passing.admission;
  const portalSessionId = passing.admission.session?.id;
  const { instanceId } = passing.route;
  const callerNow = (): Caller => {
    const session = portalSessionId === undefined ? undefined : sessions.current(portalSessionId);
    return session === undefined ? caller : callerOf(session);
  };
  const connection: LiveConnection = {
    portalSessionId,
    subject: caller.subject,
    instanceId,
    stillAllowed: () => {
      const route = routes.get(instanceId);
      return route !== undefined && mayPass(route, callerNow()).pass;
    },
    close: () => open.destroy(),
  };
  const forget = live.add(connection);
  open.on('close', forget);
}

function sendFailure(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  route: InstanceRoute,
  failure: UpstreamFailure,
): void {
  const portal = context.hosts.portalOrigin;
  const { instanceId } = route;
  context.logger.info(
    { instanceId, kind: failure.kind, reason: failure.cause.message },
    'An app did not answer.',
  );
  if (failure.kind === 'invalid') {
    const error = new HaicError('invalid_request', 400, 'This request cannot be passed on.');
    sendEither(request, response, error, badRequest(error.message));
    return;
  }
  if (failure.kind === 'unreachable' || (failure.kind === 'broken' && isNavigation(request))) {
    const error = unavailable(
      'app_unreachable',
      `${route.appTitle} is not answering right now. Try again soon.`,
    );
    sendEither(request, response, error, appJustAMoment(route, portal));
    return;
  }
  const status = failure.kind === 'timeout' ? 504 : 502;
  const error = new HaicError('app_broke_off', status, `${route.appTitle} gave no proper answer.`);
  sendEither(request, response, error, appBrokeOff(route, portal));
}

function sendWaiting(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  { route, admission }: Passing,
): void {
  const portal = context.hosts.portalOrigin;
  const page =
    route.status === 'SUSPENDED'
      ? appPaused(route, portal, mayResume(route, admission.caller))
      : appStopped(route, portal);
  const detail = route.message === '' ? '' : ` ${route.message}`;
  const error = unavailable(
    page === undefined ? 'app_starting' : 'app_not_running',
    `${route.appTitle} is not running (${route.status}).${detail}`,
  );
  sendEither(request, response, error, page ?? appStarting(route, portal));
}

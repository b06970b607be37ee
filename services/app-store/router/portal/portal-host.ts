import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { invalid, notFound } from '@haic/kit/errors.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import { responseOn } from '@haic/kit/proxy/upgrade.ts';
import type { RouterContext } from '../context.ts';
import { unknownAddress } from '../pages/pages.ts';
import { instancePath, laxPath, pathOnly } from '../paths.ts';
import { sendEither, sendProblem } from '../respond.ts';
import { finishAppGrant } from '../sign-in/app-grant.ts';
import type { BackchannelLogout } from '../sign-in/backchannel-logout.ts';
import { appGrantCallback } from '../sign-in/issuer.ts';
import { beginPersonalToken, finishPersonalToken } from '../sign-in/personal-token.ts';
import { beginSignIn, finishSignIn } from '../sign-in/sign-in.ts';
import { receiveLogoutToken, showSignOut, signOut } from '../sign-in/sign-out.ts';
import { issueTicket } from '../tickets/at-portal.ts';
import { proxyApi, proxyToCore } from './core-proxy.ts';
import { handleInPlace, upgradeInPlace } from './in-place.ts';
import { createServiceDoor, doorPrefix } from './service-door.ts';
import { describeSession, takeOneTimeToken } from './session-routes.ts';

type Handler = (
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
) => void | Promise<void>;

export type PortalHost = ReturnType<typeof createPortalHost>;

/** Requests to the portal's own host: sign-in and sessions are answered here, the rest by core. */
export function createPortalHost(
  context: RouterContext,
  backchannel: BackchannelLogout,
  servicePrefixes: readonly string[],
) {
  const enterService = createServiceDoor(servicePrefixes);
  const own: Readonly<Record<string, Handler>> = {
    'GET /login': beginSignIn,
    'GET /oauth2/callback': finishSignIn,
    'GET /logout': showSignOut,
    'POST /logout': signOut,
    'POST /oauth2/backchannel-logout': receiveLogoutToken(backchannel),
    'GET /auth/get-token': beginPersonalToken('cli'),
    'GET /auth/get-token/callback': finishPersonalToken('cli'),
    'GET /auth/get-platform-token': beginPersonalToken('platform'),
    'GET /auth/get-platform-token/callback': finishPersonalToken('platform'),
    'GET /auth/ticket': issueTicket,
    [`GET ${appGrantCallback}`]: finishAppGrant,
    'GET /session': describeSession,
    'POST /session/one-time-token': takeOneTimeToken,
  };
  const ownPaths = new Set(Object.keys(own).map((key) => key.slice(key.indexOf(' ') + 1)));

  return {
    handle: (request: IncomingMessage, response: ServerResponse, head: RequestHead): void | Promise<void> => {
      const path = pathOnly(head.path);
      const handler = own[`${request.method === 'HEAD' ? 'GET' : request.method} ${path}`];
      if (handler !== undefined) return handler(context, request, response, head);
      if (ownPaths.has(path)) return sendProblem(request, response, notFound(`${request.method} ${path}`));
      const instance = instancePath(head.path);
      if (instance !== undefined) return handleInPlace(context, request, response, head, instance);
      const lax = laxPath(head.path);
      if (lax === undefined)
        return sendProblem(request, response, invalid('invalid_path', 'The path is not valid.'));
      // Services talk to each other over core's socket; from outside there is no such thing.
      if (lax === '/internal' || lax.startsWith('/internal/'))
        return sendEither(request, response, notFound(path), unknownAddress(context.hosts.portalOrigin));
      if (path.startsWith(`${doorPrefix}/`)) return enterService(context, request, response, head);
      if (path.startsWith('/api/') && !path.startsWith('/api/launcher/'))
        return proxyApi(context, request, response, head);
      proxyToCore(context, request, response, head);
    },

    upgrade: (request: IncomingMessage, socket: Duplex, firstBytes: Buffer, head: RequestHead) => {
      const instance = instancePath(head.path);
      if (instance !== undefined) return upgradeInPlace(context, request, socket, firstBytes, head, instance);
      sendProblem(request, responseOn(request, socket), notFound(pathOnly(head.path)));
    },
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { invalid, notFound } from '@haic/kit/errors.ts';
import { fetchOverSocket } from '@haic/kit/http/over-socket.ts';
import { deriveKey } from '@haic/kit/keys.ts';
import { hasBody, readHead } from '@haic/kit/proxy/head.ts';
import { responseOn } from '@haic/kit/proxy/upgrade.ts';
import { createUpstream } from '@haic/kit/proxy/upstream.ts';
import { createHttpSchedulerClient } from '@haic/services/app-store/scheduler/client.ts';
import { createHttpAppGrantsClient } from '@haic/services/identity/client.ts';
import { handleAppRequest, handleAppUpgrade, sendError } from './app/app-host.ts';
import { createBearerTokens } from './app/bearer.ts';
import type { RouterContext } from './context.ts';
import { createCookieJar } from './cookies.ts';
import { createHosts } from './hosts.ts';
import { createListener } from './listener.ts';
import { createLiveConnections } from './live-connections.ts';
import { defaultLimits, type RouterOptions } from './options.ts';
import { badRequest, unknownAddress } from './pages/pages.ts';
import { createPortalHost, type PortalHost } from './portal/portal-host.ts';
import { sendEither, sendJson } from './respond.ts';
import { watchRoutesTable } from './routes-table.ts';
import { createCookieValues } from './sessions/cookie-value.ts';
import { createFreshTokens } from './sessions/fresh-tokens.ts';
import { createSessions } from './sessions/sessions.ts';
import { createSessionStore } from './sessions/store.ts';
import { createAppGrants } from './sign-in/app-grants.ts';
import { createBackchannelLogout } from './sign-in/backchannel-logout.ts';
import { createIssuer } from './sign-in/issuer.ts';
import { createOneTimeTokens } from './sign-in/one-time-tokens.ts';
import { createTransactions } from './sign-in/transaction.ts';
import { createTickets } from './tickets/tickets.ts';

export { routerMigrations } from './migrations.ts';
export type { ClientCredentials, RouterOptions, SessionLimits } from './options.ts';

export interface Router {
  listen(): Promise<{ port: number }>;
  /** Resolves when the scheduler told the first routes. */
  readonly routesReady: Promise<void>;
  close(): Promise<void>;
}

/** The edge of Haic: it owns the public listener and carries every byte of the portal and of all apps. */
export async function createRouter(options: RouterOptions): Promise<Router> {
  const { database, logger, masterKey, publicUrl } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const keyFor = (purpose: string) => deriveKey(masterKey, `router:${purpose}`);
  const hosts = createHosts(publicUrl);
  const jar = createCookieJar(hosts.secure);
  const coreFetch = fetchOverSocket(options.core.socketPath);
  const issuerIsCore = options.issuer.startsWith(`${publicUrl}/`);
  const issuer = createIssuer({
    ...options,
    fetch: issuerIsCore ? coreFetch : (options.issuerFetch ?? fetch),
  });
  const live = createLiveConnections();
  const store = createSessionStore(database, keyFor('session-tokens'), limits.idleMs);
  const sessions = await createSessions({
    database,
    store,
    cookieValues: createCookieValues(keyFor('session-cookies')),
    csrfKey: keyFor('csrf'),
    limits,
    live,
    logger,
  });
  const scheduler = createHttpSchedulerClient({
    baseUrl: 'http://core',
    fetch: coreFetch,
    token: issuer.serviceToken,
    logger,
  });
  const routes = watchRoutesTable({ scheduler, live, logger });
  const core = createUpstream(options.core);
  const context: RouterContext = {
    hosts,
    jar,
    sessions,
    issuer,
    routes,
    live,
    core,
    logger,
    freshTokens: createFreshTokens({ issuer, store, sessions, logger }),
    bearerTokens: createBearerTokens(options.verifyToken),
    transactions: createTransactions(jar, keyFor('sign-in')),
    oneTimeTokens: createOneTimeTokens(database, keyFor('one-time-tokens')),
    tickets: createTickets(database),
    appGrants: issuerIsCore
      ? undefined
      : createAppGrants(
          createHttpAppGrantsClient({ baseUrl: 'http://core', fetch: coreFetch, token: issuer.serviceToken }),
        ),
    trustForwardedFor: options.tlsTerminatedUpstream === true,
  };
  const backchannel = createBackchannelLogout({
    issuer,
    issuerUrl: options.issuer,
    clientId: options.portalClient.id,
    sessions,
    store,
  });
  const portal = createPortalHost(context, backchannel);
  const listener = createListener({
    ...options,
    onRequest: (request, response) => onRequest(context, portal, request, response),
    onUpgrade: (request, socket, head) => onUpgrade(context, portal, request, socket, head),
  });
  return {
    listen: listener.listen,
    routesReady: routes.ready,
    close: async () => {
      const closed = listener.close();
      live.endAll();
      await closed;
      await routes.close();
      await sessions.close();
      await core.destroy();
      await coreFetch.close();
    },
  };
}

function onRequest(
  context: RouterContext,
  portal: PortalHost,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const failed = (error: unknown) => sendError(context, request, response, error);
  try {
    dispatch(context, portal, request, response)?.catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** Every request: strict head, known host, then the host's own handler. */
function dispatch(
  context: RouterContext,
  portal: PortalHost,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> | undefined {
  const head = readHead(request);
  if ('refused' in head) {
    sendEither(request, response, invalid('invalid_request', head.refused), badRequest(head.refused), {
      connection: 'close',
    });
    return undefined;
  }
  const host = context.hosts.find(head.host);
  if (host?.kind === 'app')
    return handleAppRequest(context, request, response, head, host.instanceId) ?? undefined;
  if (head.path === '/healthz') {
    sendJson(request, response, { status: 'ok', routes: context.routes.known ? 'known' : 'unknown' });
    return undefined;
  }
  if (host !== undefined) return portal.handle(request, response, head) ?? undefined;
  sendEither(request, response, notFound('This host'), unknownAddress(context.hosts.portalOrigin));
  return undefined;
}

function onUpgrade(
  context: RouterContext,
  portal: PortalHost,
  request: IncomingMessage,
  socket: Duplex,
  firstBytes: Buffer,
): void {
  const head = readHead(request);
  const refused =
    'refused' in head ? head.refused : hasBody(request) ? 'A WebSocket begins without a body.' : undefined;
  if ('refused' in head || refused !== undefined) {
    const error = invalid('invalid_request', refused ?? '');
    sendEither(request, responseOn(request, socket), error, badRequest(error.message));
    return;
  }
  const host = context.hosts.find(head.host);
  const work =
    host?.kind === 'app'
      ? handleAppUpgrade(context, request, socket, firstBytes, head, host.instanceId)
      : host?.kind === 'portal'
        ? portal.upgrade(request, socket, firstBytes, head)
        : sendEither(
            request,
            responseOn(request, socket),
            notFound('This host'),
            unknownAddress(context.hosts.portalOrigin),
          );
  Promise.resolve(work).catch((error: unknown) => {
    if (socket.destroyed) return;
    sendError(context, request, responseOn(request, socket), error);
  });
}

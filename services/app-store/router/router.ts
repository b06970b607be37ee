import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { otherIssuerTimes, ownIssuerTimes } from '@haic/kit/auth/key-set.ts';
import { invalid, notFound } from '@haic/kit/errors.ts';
import { fetchOver } from '@haic/kit/http/over-socket.ts';
import { deriveKey } from '@haic/kit/keys.ts';
import { hasBody, readHead } from '@haic/kit/proxy/head.ts';
import { responseOn } from '@haic/kit/proxy/upgrade.ts';
import { createUpstream } from '@haic/kit/proxy/upstream.ts';
import { createHttpSchedulerClient } from '@haic/services/app-store/scheduler/client.ts';
import { createHttpExternalIdentityClient } from '@haic/services/identity/client.ts';
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
import { createEndings } from './sessions/endings.ts';
import { createFreshTokens } from './sessions/fresh-tokens.ts';
import { createSessions } from './sessions/sessions.ts';
import { createSessionStore } from './sessions/store.ts';
import { watchPeople } from './sessions/watch-people.ts';
import { createAppGrants } from './sign-in/app-grants.ts';
import { createBackchannelLogout } from './sign-in/backchannel-logout.ts';
import { createIssuer } from './sign-in/issuer.ts';
import { createOneTimeTokens } from './sign-in/one-time-tokens.ts';
import { createTransactions } from './sign-in/transaction.ts';
import { createTelling } from './telling.ts';
import { createTickets } from './tickets/tickets.ts';
import { measureRoutes, observe } from './traffic.ts';

export { routerMigrations } from './migrations.ts';
export type { ClientCredentials, RouterOptions, SessionLimits } from './options.ts';

export interface Router {
  listen(): Promise<{ port: number }>;
  /** Resolves when the scheduler told the first routes. */
  readonly routesReady: Promise<void>;
  /** A token of the router's own, for what it tells other services. */
  readonly serviceToken: () => Promise<string>;
  close(): Promise<void>;
}

/** The edge of Haic: it owns the public listener and carries every byte of the portal and of all apps. */
export async function createRouter(options: RouterOptions): Promise<Router> {
  const { database, logger, masterKey, publicUrl } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const keyFor = (purpose: string) => deriveKey(masterKey, `router:${purpose}`);
  const hosts = createHosts(publicUrl);
  const jar = createCookieJar(hosts.secure);
  const coreFetch = fetchOver(options.core);
  const issuerIsCore = options.issuer.startsWith(`${publicUrl}/`);
  const issuer = createIssuer({
    ...options,
    fetch: issuerIsCore ? coreFetch : (options.issuerFetch ?? fetch),
    keyTimes: issuerIsCore ? ownIssuerTimes : otherIssuerTimes,
  });
  const live = createLiveConnections();
  const endings = createEndings();
  const store = createSessionStore(database, keyFor('session-tokens'), limits.idleMs);
  const sessions = await createSessions({
    database,
    store,
    cookieValues: createCookieValues(keyFor('session-cookies')),
    csrfKey: keyFor('csrf'),
    limits,
    live,
    endings,
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
  const freshTokens = createFreshTokens({ issuer, store, sessions, logger });
  const outside = issuerIsCore
    ? undefined
    : createHttpExternalIdentityClient({
        baseUrl: 'http://core',
        fetch: coreFetch,
        token: issuer.serviceToken,
      });
  const peopleWatch = outside && watchPeople({ people: outside, store, sessions, freshTokens, live, logger });
  const context: RouterContext = {
    hosts,
    jar,
    sessions,
    issuer,
    routes,
    live,
    core,
    logger,
    telling: createTelling({ audit: options.audit, issuerTells: issuerIsCore, logger }),
    freshTokens,
    bearerTokens: createBearerTokens(options.verifyToken, endings),
    transactions: createTransactions(jar, keyFor('sign-in')),
    oneTimeTokens: createOneTimeTokens(database, keyFor('one-time-tokens')),
    tickets: createTickets(database),
    appGrants: outside && createAppGrants(outside),
    trustForwardedFor: options.tlsTerminatedUpstream === true,
    meter: options.meter,
    tracer: options.tracer,
    servicePrefixes: options.servicePrefixes ?? [],
    objectsOrigin: options.objectsOrigin,
  };
  measureRoutes(context.meter, routes);
  const backchannel = createBackchannelLogout({
    issuer,
    issuerUrl: options.issuer,
    clientId: options.portalClient.id,
    sessions,
    store,
  });
  const portal = createPortalHost(context, backchannel, options.servicePrefixes ?? []);
  const listener = createListener({
    ...options,
    onRequest: (request, response) => onRequest(context, portal, request, response),
    onUpgrade: (request, socket, head) => onUpgrade(context, portal, request, socket, head),
  });
  return {
    listen: listener.listen,
    routesReady: routes.ready,
    serviceToken: issuer.serviceToken,
    close: async () => {
      const closed = listener.close();
      live.endAll();
      peopleWatch?.stop();
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
  observe(context, request, response, head, host);
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
  context.meter?.connection(host === undefined ? 'unknown' : 'app', socket);
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

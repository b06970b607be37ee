import type { IncomingMessage } from 'node:http';
import type { HeaderRules } from '@haic/kit/proxy/headers.ts';
import { forwardedHeaders, isIdentityClaim, type RouterContext } from '../context.ts';
import { cookiesForApp, oidcCookieOf, setCookieFromApp, staleOidcCookies } from '../cookies.ts';
import type { PortalSession } from '../model.ts';

/** What headers of a browser reach an app, and what headers of an app reach a browser (wave-app.md §7). */
export function appRules(
  context: RouterContext,
  request: IncomingMessage,
  app: {
    /** The host that the browser asked, which the app sees. */
    readonly host: string;
    readonly session: PortalSession | undefined;
    /** Where the app's cookies live. */
    readonly basePath: string;
  },
): HeaderRules {
  const oidcCookie = app.session === undefined ? undefined : oidcCookieOf(app.session.id);
  const stale = staleOidcCookies(request.headers.cookie, oidcCookie);
  return {
    request: (name, value) => {
      if (name === 'cookie') return cookiesForApp(value, oidcCookie);
      if (name === 'authorization') return undefined;
      return isIdentityClaim(name) ? undefined : value;
    },
    addToRequest: forwardedHeaders(context, request, app.host),
    response: (name, value) => {
      if (name === 'set-cookie') return setCookieFromApp(value, app.host, oidcCookie);
      return isTooFarReaching(name) ? undefined : value;
    },
    ...(stale.length === 0
      ? {}
      : {
          completeResponse: (headers: string[]) => {
            for (const cookie of stale.slice(0, 20))
              headers.push('set-cookie', `${cookie}=; Path=${app.basePath}; Max-Age=0; HttpOnly`);
          },
        }),
  };
}

/** For an app's answer on the portal's own host (a program with a token asked): nothing in it may act as the portal. */
export function inPlaceRules(
  context: RouterContext,
  request: IncomingMessage,
  sentHost: string,
): HeaderRules {
  return {
    request: (name, value) => {
      if (name === 'host') return sentHost;
      if (name === 'authorization' || name === 'cookie') return undefined;
      return isIdentityClaim(name) ? undefined : value;
    },
    addToRequest: forwardedHeaders(context, request, sentHost),
    response: (name, value) =>
      name === 'set-cookie' || name === 'content-security-policy' || isTooFarReaching(name)
        ? undefined
        : value,
    completeResponse: (headers) => {
      headers.push('content-security-policy', 'sandbox', 'x-content-type-options', 'nosniff');
    },
  };
}

/** Headers whose effect is wider than the app's own host: cookies of a whole domain, other addresses for an origin. */
const isTooFarReaching = (name: string): boolean =>
  name === 'clear-site-data' || name === 'alt-svc' || name === 'strict-transport-security';

import { enforceDeed } from '@haic/kit/auth/party-policy.ts';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { HaicError } from '@haic/kit/errors.ts';
import { addressOf } from '@haic/kit/http/address.ts';
import { type Page, pagePolicy, renderPage } from '@haic/kit/http/page.ts';
import type { FastifyReply, FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import type { Caller } from '../caller.ts';
import type { Connected, Logins } from '../oauth/login.ts';
import { isLoopback, type SourcePlace, titleOf } from '../oauth/model.ts';
import type { LoginCookies } from './login-cookies.ts';

/** Below `/api/`, where the router lets the portal's session of the browser be seen. */
export const connectionsPath = '/api/connections';

interface Parts {
  readonly logins: Logins;
  readonly cookies: LoginCookies;
  /** The portal's page of connected accounts, and of one of them what became of its login. */
  readonly accountsPage: (returned?: SourcePlace) => string;
  readonly publicUrl: string;
  readonly verifyToken: TokenVerifier;
}

/**
 * Pages for a browser on its way to another provider and back. They are public because who is not signed in is sent to sign in, and comes back;
 * past that, they are for a person at the portal.
 */
export function registerConnections(server: HttpServer, parts: Parts): void {
  const config = { public: 'sends who is not signed in to the sign-in page' };
  server.register(async (scope) => {
    scope.setErrorHandler((error, request, reply) => {
      if (error instanceof HaicError && error.status < 500) return sendProblem(reply, parts, error);
      if (error instanceof HaicError && error.status !== 500) {
        request.log.warn({ reason: error.message }, 'A login at another provider cannot go on now.');
        return sendProblem(reply, parts, error);
      }
      throw error;
    });

    scope.get<{ Params: { secret: string } }>(
      `${connectionsPath}/login/:secret`,
      { config, schema: { hide: true } },
      async (request, reply) => {
        const caller = await callerAt(request, parts);
        if (caller === undefined) return sendToSignIn(request, reply, parts);
        const { url, state, browser } = await parts.logins.begin(caller, request.params.secret);
        parts.cookies.give(reply, state, browser);
        return sendAway(reply, url);
      },
    );

    scope.get<{ Params: { client: string } }>(
      `${connectionsPath}/:client/callback`,
      { config, schema: { hide: true } },
      async (request, reply) => {
        const caller = await callerAt(request, parts);
        if (caller === undefined) return sendToSignIn(request, reply, parts);
        const callback = new URL(request.url, parts.publicUrl);
        const state = callback.searchParams.get('state') ?? '';
        const browser = parts.cookies.of(request, state) ?? '';
        const { client } = request.params;
        const connected = await parts.logins.finish(caller, { client, callback, browser });
        parts.cookies.remove(reply, state);
        if (connected.toPortal) return sendAway(reply, parts.accountsPage(connected.source));
        return goOn(reply, parts, connected);
      },
    );
  });
}

/** The person of the portal's session in this browser; a token of a script has no browser to send anywhere. */
async function callerAt(request: FastifyRequest, { verifyToken }: Parts): Promise<Caller | undefined> {
  const token = /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  const principal = await verifyToken(token);
  enforceDeed(principal, 'log in at other providers');
  return {
    principal,
    sourceIpAddress: addressOf(request),
    userAgent: request.headers['user-agent']?.slice(0, 300),
  };
}

const sendToSignIn = (request: FastifyRequest, reply: FastifyReply, { publicUrl }: Parts): FastifyReply =>
  sendAway(reply, `${publicUrl}/login?next=${encodeURIComponent(request.url)}`);

/** Neither the state of a login nor the secret of its address goes along. */
const sendAway = (reply: FastifyReply, url: string): FastifyReply =>
  reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(url, 303);

/**
 * Where the person wanted to go. Beyond this installation and this machine they are told first: whoever made the token source chose the
 * address, and an app may have done it for them, so that Haic must not be what makes it look trustworthy.
 */
function goOn(
  reply: FastifyReply,
  parts: Parts,
  { client, source, loginPrincipal }: Connected,
): FastifyReply {
  const target = source.redirectUri === '' ? undefined : new URL(source.redirectUri);
  if (target !== undefined && isAtHome(target, new URL(parts.publicUrl))) return sendAway(reply, target.href);
  const name = titleOf(client);
  const who = loginPrincipal === '' ? '' : ` as ${loginPrincipal}`;
  const title = `Connected with ${name}`;
  const text = [`You are logged in there${who}. What asked for it can act for you now.`];
  if (target === undefined)
    return sendPage(reply, 200, { title, text: [...text, 'You can close this page.'] });
  return sendPage(reply, 200, {
    ...{ title, text },
    detail: `The next page is not one of this Haic: ${target.host}`,
    actions: [{ label: `Go on to ${target.host}`, href: target.href }],
  });
}

/** The portal and the apps' hosts below it, and programs of the person's own machine. */
const isAtHome = (target: URL, home: URL): boolean =>
  isLoopback(target.hostname) ||
  (target.protocol === home.protocol && (target.host === home.host || target.host.endsWith(`.${home.host}`)));

const sendProblem = (reply: FastifyReply, { accountsPage }: Parts, error: HaicError): FastifyReply =>
  sendPage(reply, error.status, {
    title: error.code === 'another_person' ? 'Not your login' : 'Not connected',
    text: [error.message],
    actions: [{ label: 'Go to your connected accounts', href: accountsPage() }],
  });

const sendPage = (reply: FastifyReply, status: number, page: Page): FastifyReply =>
  reply
    .code(status)
    .headers({
      'content-security-policy': pagePolicy,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    .type('text/html; charset=utf-8')
    .send(renderPage(page));

import type { IncomingMessage, ServerResponse } from 'node:http';
import { notFound } from '@haic/kit/errors.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import type { RouterContext } from '../context.ts';
import { valuesOf } from '../cookies.ts';
import { instanceNotFound, ticketUnusable } from '../pages/pages.ts';
import { pathOnly, safeNext } from '../paths.ts';
import { redirect, sendEither, sendPage } from '../respond.ts';
import { browserHashOf, isBrowserSecret, newBrowserSecret } from './tickets.ts';

/** Longer than a ticket lives, since the person may have to type a password in between. */
const browserCookieSeconds = 15 * 60;

/** Sends a browser without a session to the portal for a ticket, and gives it the secret that the ticket will be bound to. */
export function beginTicket(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  instanceId: string,
  next: string,
): void {
  const { hosts, jar } = context;
  const known = valuesOf(request.headers.cookie, jar.ticket).find(isBrowserSecret);
  const secret = known ?? newBrowserSecret();
  const url = new URL('/auth/ticket', hosts.portalOrigin);
  url.searchParams.set('instance', instanceId);
  url.searchParams.set('next', next);
  url.searchParams.set('browser', browserHashOf(secret));
  redirect(request, response, url.href, { cookies: [jar.set(jar.ticket, secret, browserCookieSeconds)] });
}

/** `/.haic/ticket?t=…` at an app's host: the ticket becomes a session of that host. Nothing below `/.haic/` reaches the app. */
export async function redeemTicket(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
  instanceId: string,
): Promise<void> {
  const { hosts, jar, sessions, tickets } = context;
  const origin = hosts.appOrigin(instanceId);
  if (request.method !== 'GET' || pathOnly(head.path) !== '/.haic/ticket') {
    sendEither(request, response, notFound('This address'), instanceNotFound(hosts.portalOrigin));
    return;
  }
  const cookies = request.headers.cookie;
  const token = new URL(head.path, origin).searchParams.get('t') ?? '';
  const ticket = await tickets.redeem(token, { instanceId, browserSecrets: valuesOf(cookies, jar.ticket) });
  const created =
    ticket === undefined ? undefined : await sessions.createApp(ticket.portalSessionId, instanceId);
  if (ticket !== undefined && created !== undefined) {
    redirect(request, response, safeNext(ticket.next, origin), {
      cookies: [jar.set(jar.session, created.cookie), jar.set(jar.ticket, '', 0)],
    });
    return;
  }
  // A reload, or the second of two tabs: whoever is in already just goes on.
  const already = await sessions.find(valuesOf(cookies, jar.session), { instanceId });
  if (already !== undefined) redirect(request, response, `${origin}/`);
  else sendPage(request, response, 403, ticketUnusable(`${origin}/`));
}

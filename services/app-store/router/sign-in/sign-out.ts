import type { IncomingMessage, ServerResponse } from 'node:http';
import { HaicError, invalid, messageOf } from '@haic/kit/errors.ts';
import { clientAddress, type RouterContext } from '../context.ts';
import { confirmSignOut, foreignRequest } from '../pages/pages.ts';
import { csrfProblem, portalSession } from '../portal/core-proxy.ts';
import { readSmallBody, redirect, sendEither, sendJson, sendPage } from '../respond.ts';
import type { BackchannelLogout } from './backchannel-logout.ts';

/** `GET /logout`: asks, since a link on another site could lead here. */
export async function showSignOut(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const session = await portalSession(context, request);
  if (session === undefined) return redirect(request, response, `${context.hosts.portalOrigin}/`);
  const page = confirmSignOut(session.person.username, context.sessions.csrfToken(session));
  // The default policy of our pages forbids no forms; Referrer-Policy no-referrer would make browsers send "Origin: null".
  sendPage(request, response, 200, page, { 'referrer-policy': 'same-origin' });
}

/** `POST /logout`: ends the session here and everywhere, then goes on to the issuer so that it ends there, too. */
export async function signOut(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { hosts, issuer, jar, sessions } = context;
  const body = await readSmallBody(request);
  const session = await portalSession(context, request);
  if (session === undefined) return redirect(request, response, `${hosts.portalOrigin}/`, { status: 303 });
  const token = new URLSearchParams(body ?? '').get('csrf') ?? undefined;
  const problem = csrfProblem(context, request, session, token);
  if (problem !== undefined) return sendEither(request, response, problem, foreignRequest);
  await sessions.end(session.id);
  const { subject } = session.person;
  await context.telling.session(request, clientAddress(context, request), subject, 'SIGNOUT');
  const cookies = [jar.set(jar.session, '', 0)];
  let next = `${hosts.portalOrigin}/`;
  try {
    next = await issuer.signOutUrl(session.tokens.idToken);
  } catch (error) {
    context.logger.warn(`Signed out here, but the issuer cannot be told: ${messageOf(error)}`);
  }
  redirect(request, response, next, { status: 303, cookies });
}

/** `POST /oauth2/backchannel-logout`: the issuer says that a session is over. */
export const receiveLogoutToken =
  (backchannel: BackchannelLogout) =>
  async (context: RouterContext, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readSmallBody(request);
    const logoutToken = new URLSearchParams(body ?? '').get('logout_token');
    try {
      if (logoutToken === null) throw invalid('invalid_request', 'There is no logout_token.');
      await backchannel.obey(logoutToken);
    } catch (error) {
      context.logger.warn(`A logout token was not obeyed: ${messageOf(error)}`);
      const refused = error instanceof HaicError && error.status < 500;
      const description = refused ? messageOf(error) : 'Try again.';
      const body = { error: refused ? 'invalid_request' : 'server_error', error_description: description };
      return sendJson(request, response, body, refused ? 400 : 503);
    }
    sendJson(request, response, {});
  };

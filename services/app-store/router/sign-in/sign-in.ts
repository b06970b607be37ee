import type { IncomingMessage, ServerResponse } from 'node:http';
import { HaicError } from '@haic/kit/errors.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import { clientAddress, type RouterContext } from '../context.ts';
import { valuesOf } from '../cookies.ts';
import { signInFailed, signInStale } from '../pages/pages.ts';
import { safeNext } from '../paths.ts';
import { redirect, sendPage } from '../respond.ts';

/** `GET /login?next=`: to the issuer, with a state, a nonce and a PKCE challenge that only this browser can answer. */
export async function beginSignIn(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
): Promise<void> {
  const { hosts, issuer, transactions } = context;
  const { searchParams } = new URL(head.path, hosts.portalOrigin);
  const next = safeNext(searchParams.get('next') ?? searchParams.get('referer'), hosts.portalOrigin);
  const challenge = issuer.newChallenge();
  const url = await issuer.signInUrl(challenge);
  const cookies = transactions.begin(
    { ...challenge, purpose: 'sign-in', next, startedAt: Date.now() },
    request.headers.cookie,
  );
  redirect(request, response, url, { cookies });
}

/** `GET /oauth2/callback`: the code becomes a new session; whatever session this browser had before ends. */
export async function finishSignIn(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
): Promise<void> {
  const { hosts, issuer, jar, sessions, transactions } = context;
  const callback = new URL(head.path, hosts.portalOrigin);
  const state = callback.searchParams.get('state') ?? '';
  const cookies = request.headers.cookie;
  const transaction = transactions.find(state, cookies);
  if (transaction === undefined || transaction.purpose !== 'sign-in')
    return sendPage(request, response, 400, signInStale('/login'));
  const forget = transactions.forget(state);
  let granted: Awaited<ReturnType<typeof issuer.redeem>>;
  try {
    granted = await issuer.redeem(callback, transaction);
  } catch (error) {
    if (!(error instanceof HaicError) || error.status >= 500) throw error;
    context.logger.info({ err: error }, 'A sign-in was refused.');
    const again = `/login?next=${encodeURIComponent(transaction.next.slice(hosts.portalOrigin.length))}`;
    return sendPage(request, response, 400, signInFailed(error.message, again), { 'set-cookie': forget });
  }
  const before = await sessions.find(valuesOf(cookies, jar.session), 'portal');
  const { person, issuerSid, accessExpiresAt, accessToken, refreshToken, idToken } = granted;
  const tokens = { accessToken, refreshToken, idToken };
  const created = await sessions.create({ person, tokens, issuerSid, accessExpiresAt });
  if (before !== undefined) await sessions.end(before.id);
  await context.telling.session(request, clientAddress(context, request), person.subject, 'SIGNIN');
  redirect(request, response, transaction.next, {
    cookies: [jar.set(jar.session, created.cookie), forget],
  });
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { HaicError } from '@haic/kit/errors.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import type { RouterContext } from '../context.ts';
import { signInFailed, signInStale } from '../pages/pages.ts';
import { portalSession } from '../portal/core-proxy.ts';
import { redirect, sendPage } from '../respond.ts';
import type { PersonalTokenKind } from './issuer.ts';

const paths = { platform: '/auth/get-platform-token', cli: '/auth/get-token' } as const;
const page = (kind: PersonalTokenKind) => `/cli-and-api-access?token=${kind}`;

/** `/auth/get-token`, `/auth/get-platform-token`: fetches a lasting token of a public client for the person who is signed in. */
export const beginPersonalToken =
  (kind: PersonalTokenKind) =>
  async (context: RouterContext, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { hosts, issuer, transactions } = context;
    const session = await portalSession(context, request);
    if (session === undefined)
      return redirect(
        request,
        response,
        `${hosts.portalOrigin}/login?next=${encodeURIComponent(paths[kind])}`,
      );
    const challenge = issuer.newChallenge();
    const url = await issuer.personalTokenUrl(kind, challenge);
    const transaction = { ...challenge, purpose: kind, next: page(kind), startedAt: Date.now() };
    redirect(request, response, url, { cookies: transactions.begin(transaction, request.headers.cookie) });
  };

/** The callback: the token waits, sealed, until the portal's page reads it, and is in no address. */
export const finishPersonalToken =
  (kind: PersonalTokenKind) =>
  async (
    context: RouterContext,
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
  ): Promise<void> => {
    const { hosts, issuer, transactions } = context;
    const callback = new URL(head.path, hosts.portalOrigin);
    const state = callback.searchParams.get('state') ?? '';
    const transaction = transactions.find(state, request.headers.cookie);
    const session = await portalSession(context, request);
    if (transaction === undefined || transaction.purpose !== kind || session === undefined)
      return sendPage(request, response, 400, signInStale(paths[kind]));
    const forget = transactions.forget(state);
    let token: Awaited<ReturnType<typeof issuer.redeemPersonalToken>>;
    try {
      token = await issuer.redeemPersonalToken(kind, callback, transaction);
    } catch (error) {
      if (!(error instanceof HaicError) || error.status >= 500) throw error;
      return sendPage(request, response, 400, signInFailed(error.message, paths[kind]), {
        'set-cookie': forget,
      });
    }
    // Someone else may have signed in at the issuer in another tab: their token is not for this person's eyes.
    if (token.subject !== session.person.subject) {
      const why = 'Another person signed in meanwhile. Sign out, sign in again and repeat this.';
      return sendPage(request, response, 400, signInFailed(why, paths[kind]), { 'set-cookie': forget });
    }
    await context.oneTimeTokens.put(session.id, kind, token.refreshToken);
    redirect(request, response, `${hosts.portalOrigin}${page(kind)}`, { cookies: [forget] });
  };

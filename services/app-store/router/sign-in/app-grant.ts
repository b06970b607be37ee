import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@haic/kit/errors.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import type { InstanceRoute } from '../../scheduler/client.ts';
import type { RouterContext } from '../context.ts';
import type { PortalSession } from '../model.ts';
import { signInStale } from '../pages/pages.ts';
import { portalSession } from '../portal/core-proxy.ts';
import { redirect, sendPage } from '../respond.ts';

/**
 * On the owner's way to an instance that only they can open: at an issuer of the organisation the app's code can act for them only when
 * they grant it (services/identity/external). Undefined when there is nothing to ask; else the issuer's address and the cookie that
 * remembers this browser. Without a page: who has no session there is not kept from the app.
 */
export async function beginAppGrant(
  context: RouterContext,
  request: IncomingMessage,
  route: InstanceRoute,
  session: PortalSession,
  next: string,
): Promise<{ url: string; cookies: string[] } | undefined> {
  const { appGrants, issuer, logger, transactions } = context;
  const { subject } = session.person;
  const { instanceId } = route;
  if (appGrants === undefined || route.visibility !== 'PRIVATE' || route.owner !== subject) return undefined;
  if (appGrants.settled(instanceId, subject)) return undefined;
  try {
    const needed = await appGrants.grantNeeded({ instanceId, subject });
    appGrants.settle(instanceId, subject);
    if (needed === undefined) return undefined;
    const challenge = issuer.newChallenge();
    const url = await issuer.appGrantUrl(needed.clientId, challenge);
    const transaction = {
      ...challenge,
      purpose: 'app-grant' as const,
      instanceId,
      next,
      startedAt: Date.now(),
    };
    return { url, cookies: transactions.begin(transaction, request.headers.cookie) };
  } catch (error) {
    logger.warn({ instanceId, err: messageOf(error) }, 'An app was not granted to act for its owner.');
    return undefined;
  }
}

/** `GET /auth/app-grant/callback`: core redeems the code; with or without it, the person goes on to the app. */
export async function finishAppGrant(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
): Promise<void> {
  const { appGrants, hosts, logger, transactions } = context;
  const callback = new URL(head.path, hosts.portalOrigin);
  const state = callback.searchParams.get('state') ?? '';
  const transaction = transactions.find(state, request.headers.cookie);
  const session = await portalSession(context, request);
  if (appGrants === undefined || transaction?.instanceId === undefined || session === undefined)
    return sendPage(request, response, 400, signInStale('/'));
  const { instanceId, nonce, verifier, next } = transaction;
  if (callback.searchParams.has('code')) {
    try {
      await appGrants.keepGrant({
        instanceId,
        subject: session.person.subject,
        callback: { url: callback.href, state: transaction.state, nonce, verifier },
      });
    } catch (error) {
      logger.warn({ instanceId, err: messageOf(error) }, 'An app was not granted to act for its owner.');
    }
  }
  redirect(request, response, `${hosts.portalOrigin}${next}`, { cookies: [transactions.forget(state)] });
}

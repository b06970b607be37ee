import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalid, notFound, tooLarge, unauthenticated } from '@haic/kit/errors.ts';
import { clientAddress, type RouterContext } from '../context.ts';
import { readSmallBody, sendJson, sendProblem } from '../respond.ts';
import { csrfProblem, portalSession } from './core-proxy.ts';

/** `GET /session`: what the portal's pages need to know at their start. */
export async function describeSession(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const session = await portalSession(context, request);
  const goesOn = session !== undefined && (await context.freshTokens.keepFresh(session));
  sendJson(
    request,
    response,
    session === undefined || !goesOn
      ? { signedIn: false }
      : {
          signedIn: true,
          username: session.person.username,
          csrfToken: context.sessions.csrfToken(session),
        },
  );
}

/** `POST /session/one-time-token` {kind}: hands out the token that was just fetched, once. */
export async function takeOneTimeToken(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const session = await portalSession(context, request);
  if (session === undefined) return sendProblem(request, response, unauthenticated());
  const header = request.headers['x-haic-csrf'];
  const problem = csrfProblem(context, request, session, Array.isArray(header) ? undefined : header);
  if (problem !== undefined) return sendProblem(request, response, problem);
  const body = await readSmallBody(request);
  if (body === undefined)
    return sendProblem(request, response, tooLarge('too_large', 'The request is too large.'));
  const kind = kindIn(body);
  if (kind === undefined)
    return sendProblem(request, response, invalid('invalid_kind', 'kind must be "platform" or "cli".'));
  const token = await context.oneTimeTokens.take(session.id, kind);
  if (token === undefined) return sendProblem(request, response, notFound('A token that waits to be read'));
  await context.telling.done(request, clientAddress(context, request), session.person.subject, {
    action: 'actions/identity/tokens/CREATE',
    readOnly: false,
    resource: `//identity/tokens/${kind}`,
  });
  sendJson(request, response, { kind, token });
}

function kindIn(body: string): 'platform' | 'cli' | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const kind: unknown =
      typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'kind') : undefined;
    return kind === 'platform' || kind === 'cli' ? kind : undefined;
  } catch {
    return undefined;
  }
}

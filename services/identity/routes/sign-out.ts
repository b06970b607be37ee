import type { FastifyReply, FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import { createLocalJWKSet, decodeJwt, errors as joseErrors, jwtVerify } from 'jose';
import type { UpstreamSignOut } from '../brokering/sign-out.ts';
import { confirmSignOutPage, messagePage, signedOutPage } from '../pages/messages.ts';
import type { Issuer } from '../provider/issuer.ts';
import { trustedRequest } from '../provider/mount.ts';
import { publicKeys } from '../provider/public-keys.ts';
import type { Sessions } from '../provider/sessions.ts';
import type { SignInTrail } from '../sign-in-trail.ts';
import type { PeopleStore } from '../store.ts';
import { fieldOf, type PageContext, sendPage } from './forms.ts';

export interface SignOutParts extends PageContext {
  readonly issuer: Issuer;
  readonly sessions: Sessions;
  readonly people: PeopleStore;
  readonly upstreamSignOut: UpstreamSignOut;
  readonly trail: SignInTrail;
}

interface LogoutRequest {
  readonly idTokenHint: string | undefined;
  readonly clientId: string | undefined;
  readonly postLogoutRedirectUri: string | undefined;
  readonly state: string | undefined;
}

type Client = NonNullable<Awaited<ReturnType<ReturnType<Issuer['provider']>['Client']['find']>>>;

/**
 * RP-Initiated Logout 1.0, in place of the provider's own endpoint: that one asks for a confirmation each time, and needs script.
 * Who names a client (by a hint or its id) is signed out at once; anyone else is asked.
 */
export function registerSignOut(scope: HttpServer, parts: SignOutParts): void {
  const url = `${parts.issuerPath}/protocol/openid-connect/logout`;
  const config = { public: 'sign-out' };
  const handler = async (request: FastifyRequest, reply: FastifyReply) => signOut(request, reply, parts);
  scope.get(url, { config }, handler);
  const unaudited = 'it tells of it itself, since there is no token to know the person by';
  scope.post(url, { config: { ...config, unaudited } }, handler);
}

async function signOut(request: FastifyRequest, reply: FastifyReply, parts: SignOutParts) {
  const asked = readRequest(request);
  const client = await clientOfRequest(parts.issuer, asked);
  if (client === 'invalid') return refuse(reply, parts, 'The application that sent you here is not known.');
  const returnTo = returnAddress(client, asked);
  if (returnTo === 'invalid')
    return refuse(
      reply,
      parts,
      'The application asked to return to an address that is not registered for it.',
    );

  const context = parts.issuer.provider().createContext(trustedRequest(request, parts.publicUrl), reply.raw);
  const session = await parts.issuer.provider().Session.get(context);
  let elsewhere: string | undefined;
  const confirmed = request.method === 'POST' && fieldOf(request, 'confirm') === 'yes';
  if (session.accountId !== undefined) {
    const hintsAtAnother =
      asked.idTokenHint !== undefined && subjectOf(asked.idTokenHint) !== session.accountId;
    if (!confirmed && (client === undefined || hintsAtAnother))
      return askForConfirmation(reply, parts, session.accountId);
    await parts.sessions.end(session);
    await parts.trail.tell('signed-out', session.accountId, request);
    elsewhere = await parts.upstreamSignOut.urlFor(session.uid, returnTo);
  }
  for (const name of ['haic_idp_session', 'haic_idp_session.sig'])
    reply.header('set-cookie', `${name}=; Path=/auth; Max-Age=0; HttpOnly; SameSite=Lax`);
  const next = elsewhere ?? returnTo;
  if (next === undefined) return sendPage(reply, 200, signedOutPage(parts.publicUrl));
  return reply.header('cache-control', 'no-store').redirect(next, 303);
}

function readRequest(request: FastifyRequest): LogoutRequest {
  const query = new URLSearchParams(request.url.split('?')[1] ?? '');
  const read = (name: string): string | undefined => {
    const value = request.method === 'POST' ? fieldOf(request, name) : (query.get(name) ?? '');
    return value === '' ? undefined : value;
  };
  return {
    idTokenHint: read('id_token_hint'),
    clientId: read('client_id'),
    postLogoutRedirectUri: read('post_logout_redirect_uri'),
    state: read('state'),
  };
}

/** The client that a valid hint was issued to, else the one that is named. An expired hint is still a hint. */
async function clientOfRequest(
  issuer: Issuer,
  asked: LogoutRequest,
): Promise<Client | undefined | 'invalid'> {
  const hinted =
    asked.idTokenHint === undefined ? undefined : await audienceOfHint(issuer, asked.idTokenHint);
  if (asked.idTokenHint !== undefined && hinted === undefined) return 'invalid';
  if (hinted !== undefined && asked.clientId !== undefined && hinted !== asked.clientId) return 'invalid';
  const clientId = hinted ?? asked.clientId;
  if (clientId === undefined) return undefined;
  const client = await issuer.provider().Client.find(clientId);
  // The instance may be gone by the time its page signs out: without a client there is only no return address.
  return client ?? (hinted !== undefined ? undefined : 'invalid');
}

async function audienceOfHint(issuer: Issuer, hint: string): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(hint, createLocalJWKSet(publicKeys(issuer.keys())), {
      issuer: issuer.provider().issuer,
      algorithms: ['RS256'],
      currentDate: new Date((decodeJwt(hint).iat ?? 0) * 1000),
    });
    return typeof payload.aud === 'string' ? payload.aud : undefined;
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) return undefined;
    throw error;
  }
}

const subjectOf = (hint: string): string | undefined => decodeJwt(hint).sub;

/** Only an address that is registered, character for character (RFC 9700 §4.1.3). */
function returnAddress(client: Client | undefined, asked: LogoutRequest): string | undefined | 'invalid' {
  if (client === undefined || asked.postLogoutRedirectUri === undefined) return undefined;
  if (!client.postLogoutRedirectUriAllowed(asked.postLogoutRedirectUri)) return 'invalid';
  const url = new URL(asked.postLogoutRedirectUri);
  if (asked.state !== undefined) url.searchParams.set('state', asked.state);
  return asked.state === undefined ? asked.postLogoutRedirectUri : url.href;
}

async function askForConfirmation(reply: FastifyReply, parts: SignOutParts, accountId: string) {
  const person = await parts.people.byId(accountId);
  return sendPage(
    reply,
    200,
    confirmSignOutPage({
      action: `${parts.issuerPath}/protocol/openid-connect/logout`,
      name: person?.name ?? 'You',
      publicUrl: parts.publicUrl,
    }),
  );
}

const refuse = (reply: FastifyReply, { publicUrl }: SignOutParts, message: string) =>
  sendPage(
    reply,
    400,
    messagePage({
      title: 'This sign-out cannot go on',
      message,
      link: { href: `${publicUrl}/`, text: 'Go to Haic' },
    }),
  );

import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { addressOf } from '@haic/kit/http/address.ts';
import type { FastifyReply, FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import { errors } from 'oidc-provider';
import { pageHeaders } from '../pages/layout.ts';
import { messagePage } from '../pages/messages.ts';
import { signInPage } from '../pages/sign-in.ts';
import type { Issuer } from '../provider/issuer.ts';
import { trustedRequest } from '../provider/mount.ts';
import type { Sessions } from '../provider/sessions.ts';
import type { CheckPassword } from '../sign-in.ts';
import { cookieOf, fieldOf, type PageContext, sendPage } from './forms.ts';

export interface SignInParts extends PageContext {
  readonly issuer: Issuer;
  readonly sessions: Sessions;
  readonly checkPassword: CheckPassword;
}

type Interaction = Awaited<ReturnType<ReturnType<Issuer['provider']>['interactionDetails']>>;

export const browserCookie = 'haic_idp_browser';
const aYear = 365 * 24 * 60 * 60;

/** The page that the provider sends a browser to when someone has to sign in, and the form on it. */
export function registerSignIn(scope: HttpServer, parts: SignInParts): void {
  const url = `${parts.issuerPath}/login/:uid`;
  const config = { public: 'the sign-in page' };

  scope.get(url, { config }, async (request, reply) => {
    const interaction = await currentInteraction(request, reply, parts);
    if (interaction === undefined) return sendExpired(reply, parts);
    if (interaction.prompt.name !== 'login') return finish(request, reply, parts, { consent: {} });
    return sendForm(request, reply, parts, interaction, 200, undefined);
  });

  scope.post(url, { config }, async (request, reply) => {
    const interaction = await currentInteraction(request, reply, parts);
    if (interaction === undefined || interaction.prompt.name !== 'login') return sendExpired(reply, parts);
    const result = await parts.checkPassword({
      username: fieldOf(request, 'username'),
      password: fieldOf(request, 'password'),
      address: addressOf(request),
      browserToken: cookieOf(request, browserCookie),
    });
    if (result.kind === 'wrong')
      return sendForm(request, reply, parts, interaction, 401, 'The user name or the password is wrong.');
    if (result.kind === 'wait') {
      reply.header('retry-after', String(result.seconds));
      return sendForm(request, reply, parts, interaction, 429, waitText(result.seconds));
    }
    await leaveOtherPersonsSession(parts, interaction, result.person.id);
    setBrowserCookie(reply, parts, result.browserToken);
    // Not remembered: the session's cookie ends with the browser, the session itself by the clock.
    return finish(request, reply, parts, {
      login: { accountId: result.person.id, remember: false, amr: ['pwd'] },
    });
  });
}

/** The sign-in under way that this browser began; undefined when it is over or another browser's. */
async function currentInteraction(
  request: FastifyRequest,
  reply: FastifyReply,
  { issuer, publicUrl }: SignInParts,
): Promise<Interaction | undefined> {
  try {
    const raw = trustedRequest(request, publicUrl);
    const interaction = await issuer.provider().interactionDetails(raw, reply.raw);
    const { uid } = request.params as { uid: string };
    return interaction.uid === uid ? interaction : undefined;
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return undefined;
    throw error;
  }
}

/** Someone else signs in where a session still is: that session ends, with everything bound to it (security 7). */
async function leaveOtherPersonsSession(
  { issuer, sessions }: SignInParts,
  interaction: Interaction,
  personId: string,
): Promise<void> {
  const uid = interaction.session?.uid;
  if (uid === undefined || interaction.session?.accountId === personId) return;
  const session = await issuer.provider().Session.findByUid(uid);
  if (session?.accountId === undefined) return;
  await sessions.end(session);
  delete interaction.session;
  await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
}

async function finish(
  request: FastifyRequest,
  reply: FastifyReply,
  { issuer, publicUrl }: SignInParts,
  result: Parameters<ReturnType<Issuer['provider']>['interactionResult']>[2],
): Promise<FastifyReply> {
  const raw = trustedRequest(request, publicUrl);
  const returnTo = await issuer.provider().interactionResult(raw, reply.raw, result);
  return reply.header('cache-control', 'no-store').redirect(returnTo, 303);
}

async function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  { issuer, issuerPath }: SignInParts,
  interaction: Interaction,
  status: number,
  problem: string | undefined,
): Promise<FastifyReply> {
  const clientId = String(interaction.params.client_id);
  const client = await issuer.provider().Client.find(clientId);
  const hint = interaction.params.login_hint;
  const typed = fieldOf(request, 'username').slice(0, 127);
  return sendPage(
    reply,
    status,
    signInPage({
      action: `${issuerPath}/login/${interaction.uid}`,
      clientName: clientId === wellKnownClients.portal ? undefined : client?.clientName,
      username: typed !== '' ? typed : typeof hint === 'string' ? hint.slice(0, 127) : '',
      problem,
    }),
  );
}

const sendExpired = (reply: FastifyReply, { publicUrl }: SignInParts) =>
  reply
    .code(400)
    .headers(pageHeaders)
    .send(
      messagePage({
        title: 'This sign-in has expired',
        message: 'The page was open for too long, was used already, or the browser keeps no cookies.',
        link: { href: `${publicUrl}/`, text: 'Start again' },
      }),
    );

export const waitText = (seconds: number): string =>
  seconds < 90
    ? `Too many failed attempts from here. Try again in ${seconds} seconds.`
    : `Too many failed attempts from here. Try again in ${Math.ceil(seconds / 60)} minutes.`;

function setBrowserCookie(reply: FastifyReply, { publicUrl }: SignInParts, token: string): void {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  reply.header(
    'set-cookie',
    `${browserCookie}=${token}; Path=/auth; Max-Age=${aYear}; HttpOnly; SameSite=Strict${secure}`,
  );
}

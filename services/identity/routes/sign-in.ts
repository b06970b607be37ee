import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { addressOf } from '@haic/kit/http/address.ts';
import type { FastifyReply, FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import { signInPage } from '../pages/sign-in.ts';
import type { CheckPassword } from '../sign-in.ts';
import type { SignInTrail } from '../sign-in-trail.ts';
import { cookieOf, fieldOf, type PageContext, sendPage } from './forms.ts';
import {
  currentInteraction,
  finish,
  type Interaction,
  type InteractionParts,
  leaveOtherPersonsSession,
  sendExpired,
} from './interaction.ts';

export interface SignInParts extends InteractionParts {
  readonly checkPassword: CheckPassword;
  readonly trail: SignInTrail;
  /** Other providers that people may sign in at instead, and where that begins. */
  readonly otherProviders: readonly { readonly alias: string; readonly title: string }[];
}

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

  const unaudited = 'it tells of it itself, since there is no token to know the person by';
  scope.post(url, { config: { ...config, unaudited } }, async (request, reply) => {
    const interaction = await currentInteraction(request, reply, parts);
    if (interaction === undefined || interaction.prompt.name !== 'login') return sendExpired(reply, parts);
    const result = await parts.checkPassword({
      username: fieldOf(request, 'username'),
      password: fieldOf(request, 'password'),
      address: addressOf(request),
      browserToken: cookieOf(request, browserCookie),
    });
    if (result.kind === 'wrong') await parts.trail.tell('refused', result.personId, request);
    if (result.kind === 'wrong')
      return sendForm(request, reply, parts, interaction, 401, 'The user name or the password is wrong.');
    if (result.kind === 'wait') {
      reply.header('retry-after', String(result.seconds));
      return sendForm(request, reply, parts, interaction, 429, waitText(result.seconds));
    }
    await leaveOtherPersonsSession(request, reply, parts, interaction, result.person.id);
    await parts.trail.tell('signed-in', result.person.id, request);
    setBrowserCookie(reply, parts, result.browserToken);
    // Not remembered: the session's cookie ends with the browser, the session itself by the clock.
    return finish(request, reply, parts, {
      login: { accountId: result.person.id, remember: false, amr: ['pwd'] },
    });
  });
}

async function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  { issuer, issuerPath, otherProviders }: SignInParts,
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
      otherProviders: otherProviders.map(({ alias, title }) => ({
        title,
        href: `${issuerPath}/broker/${alias}/login?interaction=${interaction.uid}`,
      })),
    }),
  );
}

export const waitText = (seconds: number): string =>
  seconds < 90
    ? `Too many failed attempts from here. Try again in ${seconds} seconds.`
    : `Too many failed attempts from here. Try again in ${Math.ceil(seconds / 60)} minutes.`;

export function setBrowserCookie(reply: FastifyReply, { publicUrl }: PageContext, token: string): void {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  reply.header(
    'set-cookie',
    `${browserCookie}=${token}; Path=/auth; Max-Age=${aYear}; HttpOnly; SameSite=Strict${secure}`,
  );
}

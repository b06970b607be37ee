import type { FastifyReply, FastifyRequest } from '@haic/kit/http/server.ts';
import { errors } from 'oidc-provider';
import { pageHeaders } from '../pages/layout.ts';
import { messagePage } from '../pages/messages.ts';
import type { Issuer } from '../provider/issuer.ts';
import { trustedRequest } from '../provider/mount.ts';
import type { Sessions } from '../provider/sessions.ts';
import type { PageContext } from './forms.ts';

export interface InteractionParts extends PageContext {
  readonly issuer: Issuer;
  readonly sessions: Sessions;
}

/** A sign-in under way, as the OpenID provider keeps it. */
export type Interaction = Awaited<ReturnType<ReturnType<Issuer['provider']>['interactionDetails']>>;

/** The sign-in under way that this browser began; undefined when it is over or another browser's. */
export async function currentInteraction(
  request: FastifyRequest,
  reply: FastifyReply,
  { issuer, publicUrl }: InteractionParts,
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

/**
 * Someone else signs in where a session still is: that session ends, with everything bound to it (security 7). It is the one that the browser
 * has now, which may have begun in another tab since the page was opened; and the one that the page was opened with. One that ended
 * meanwhile is left, too: the provider would wait for it.
 */
export async function leaveOtherPersonsSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { issuer, sessions, publicUrl }: InteractionParts,
  interaction: Interaction,
  personId: string,
): Promise<void> {
  const provider = issuer.provider();
  const context = provider.createContext(trustedRequest(request, publicUrl), reply.raw);
  const present = await provider.Session.get(context);
  if (present.accountId !== undefined && present.accountId !== personId) await sessions.end(present);

  const uid = interaction.session?.uid;
  if (uid === undefined) return;
  const session = await provider.Session.findByUid(uid);
  if (session?.accountId === personId) return;
  if (session?.accountId !== undefined) await sessions.end(session);
  delete interaction.session;
  await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
}

export async function finish(
  request: FastifyRequest,
  reply: FastifyReply,
  { issuer, publicUrl }: InteractionParts,
  result: Parameters<ReturnType<Issuer['provider']>['interactionResult']>[2],
): Promise<FastifyReply> {
  const raw = trustedRequest(request, publicUrl);
  const returnTo = await issuer.provider().interactionResult(raw, reply.raw, result);
  return reply.header('cache-control', 'no-store').redirect(returnTo, 303);
}

export const sendExpired = (reply: FastifyReply, { publicUrl }: PageContext) =>
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

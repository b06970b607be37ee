import { addressOf } from '@haic/kit/http/address.ts';
import type { FastifyReply, FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import { messagePage } from '../../pages/messages.ts';
import { cookieOf, fieldOf, sendPage } from '../../routes/forms.ts';
import {
  currentInteraction,
  finish,
  type Interaction,
  leaveOtherPersonsSession,
  sendExpired,
} from '../../routes/interaction.ts';
import { browserCookie, setBrowserCookie, waitText } from '../../routes/sign-in.ts';
import type { Arrival, Reception } from '../arrivals.ts';
import type { Guest } from '../journeys.ts';
import { linkPage } from '../pages.ts';
import { type BrokeringParts, config } from './parts.ts';

/** A guest of this browser, at the sign-in that they were sent from. */
interface Door {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly interaction: Interaction;
  readonly guest: Guest;
  readonly arrival: Arrival;
}

/** …/login/<uid>/arrival: who came back from another provider is let in, asked to prove an account, or sent away. */
export function registerArrival(scope: HttpServer, parts: BrokeringParts): void {
  const url = `${parts.issuerPath}/login/:uid/arrival`;

  scope.get(url, { config }, async (request, reply) => {
    const door = await doorOf(request, reply, parts);
    if (door === undefined) return sendExpired(reply, parts);
    return answer(parts, door, await parts.arrivals.receive(door.arrival));
  });

  scope.post(url, { config: { ...config, unaudited: 'it tells of it itself' } }, async (request, reply) => {
    const door = await doorOf(request, reply, parts);
    if (door === undefined) return sendExpired(reply, parts);
    const { arrivals } = parts;
    // Linked in another tab, or disabled, since the page was shown.
    const reception = await arrivals.receive(door.arrival);
    if (reception.kind !== 'prove') return answer(parts, door, reception);
    if (fieldOf(request, 'choice') === 'new')
      return answer(parts, door, await arrivals.makeNew(door.arrival));

    const result = await parts.checkPassword({
      username: fieldOf(request, 'username'),
      password: fieldOf(request, 'password'),
      address: addressOf(request),
      browserToken: cookieOf(request, browserCookie),
    });
    if (result.kind === 'wrong') await parts.trail.tell('refused', result.personId, request);
    if (result.kind === 'wrong')
      return sendLinkPage(parts, door, reception, 401, 'The user name or the password is wrong.');
    if (result.kind === 'wait') {
      reply.header('retry-after', String(result.seconds));
      return sendLinkPage(parts, door, reception, 429, waitText(result.seconds));
    }
    setBrowserCookie(reply, parts, result.browserToken);
    return answer(parts, door, await arrivals.link(door.arrival, result.person));
  });
}

async function doorOf(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: BrokeringParts,
): Promise<Door | undefined> {
  const interaction = await currentInteraction(request, reply, parts);
  if (interaction?.prompt.name !== 'login') return undefined;
  const guest = await parts.journeys.guestOf(request, interaction.uid);
  const upstream = guest === undefined ? undefined : parts.upstreams.get(guest.alias);
  if (guest === undefined || upstream === undefined) return undefined;
  const arrival = { provider: upstream.provider, profile: guest.profile };
  return { request, reply, interaction, guest, arrival };
}

async function answer(parts: BrokeringParts, door: Door, reception: Reception): Promise<FastifyReply> {
  const { request, reply, interaction, guest } = door;
  if (reception.kind === 'prove') return sendLinkPage(parts, door, reception, 200, undefined);
  await parts.journeys.forgetGuest(request, reply, interaction.uid);
  if (reception.kind !== 'welcome') return sendAway(parts, door, reception.kind);
  const { id } = reception.person;
  await leaveOtherPersonsSession(request, reply, parts, interaction, id);
  await parts.trail.tell('signed-in', id, request);
  return finish(request, reply, parts, {
    login: { accountId: id, remember: false, amr: ['fed'] },
    upstream: { alias: guest.alias, idToken: guest.idToken },
  });
}

const sendLinkPage = (
  { issuerPath }: BrokeringParts,
  { reply, request, interaction, arrival }: Door,
  reception: Extract<Reception, { kind: 'prove' }>,
  status: number,
  problem: string | undefined,
): FastifyReply =>
  sendPage(
    reply,
    status,
    linkPage({
      action: `${issuerPath}/login/${interaction.uid}/arrival`,
      providerTitle: arrival.provider.title,
      name: arrival.profile.name,
      username: reception.username === '' ? fieldOf(request, 'username').slice(0, 127) : reception.username,
      mayBeNew: reception.mayBeNew,
      problem,
    }),
  );

const reasons = {
  disabled: 'This account may not sign in. Ask an administrator of Haic.',
  unknown: 'You have no account here. Ask an administrator of Haic to add you, then sign in once more.',
} as const;

const sendAway = (
  { issuerPath }: BrokeringParts,
  { reply, interaction, arrival }: Door,
  why: keyof typeof reasons,
): FastifyReply =>
  sendPage(
    reply,
    403,
    messagePage({
      title: 'Not allowed',
      message: reasons[why],
      detail: `Signed in with ${arrival.provider.title} as ${arrival.profile.username}.`,
      link: { href: `${issuerPath}/login/${interaction.uid}`, text: 'Back to the sign-in page' },
    }),
  );

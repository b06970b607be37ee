import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from '@haic/kit/http/server.ts';
import { open, seal } from '@haic/kit/keys.ts';
import type { ArtifactStore } from '../artifacts.ts';
import { cookieOf, type PageContext } from '../routes/forms.ts';
import type { Profile } from './profile.ts';
import type { Challenge } from './upstream.ts';

/** A browser's way to another provider and back. */
export interface Journey {
  readonly alias: string;
  /** The sign-in under way at Haic's own issuer. */
  readonly interaction: string;
  readonly challenge: Challenge;
}

/** Who came back, until they are let in: an account may have to be proven meanwhile. */
export interface Guest {
  readonly alias: string;
  readonly profile: Profile;
  readonly idToken: string;
}

export type Journeys = ReturnType<typeof createJourneys>;

const lifetimeSeconds = 10 * 60;
const guestCookie = 'haic_idp_guest';
const stateForm = /^[A-Za-z0-9_-]{40,64}$/;

/**
 * The challenge of each journey lies sealed in a cookie of the browser that began it, so that what another browser brings back is worth
 * nothing there (RFC 9700 §4.7); and each comes back once, which the database knows.
 */
export function createJourneys(parts: PageContext & { artifacts: ArtifactStore; sealingKey: Buffer }) {
  const { artifacts, sealingKey, issuerPath, publicUrl } = parts;
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  // Lax, because the browser is sent here from another site.
  const setCookie = (reply: FastifyReply, name: string, value: string, path: string, seconds: number) =>
    reply.header(
      'set-cookie',
      `${name}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`,
    );
  // One cookie a journey: two tabs may be on their way at once.
  const cookieName = (state: string) => `haic_idp_journey_${state.slice(0, 12)}`;
  const journeyPath = (alias: string) => `${issuerPath}/broker/${alias}`;
  const guestPath = (interaction: string) => `${issuerPath}/login/${interaction}`;

  return {
    begin: async (reply: FastifyReply, journey: Journey): Promise<void> => {
      const { state } = journey.challenge;
      const exp = Math.floor(Date.now() / 1000) + lifetimeSeconds;
      await artifacts.upsert('Journey', state, { exp }, lifetimeSeconds);
      const sealed = seal(sealingKey, JSON.stringify(journey), `journey:${state}`).toString('base64url');
      setCookie(reply, cookieName(state), sealed, journeyPath(journey.alias), lifetimeSeconds);
    },

    /** Undefined for one that this browser did not begin, that came back already, or that took too long. */
    end: async (
      request: FastifyRequest,
      reply: FastifyReply,
      at: { alias: string; state: string },
    ): Promise<Journey | undefined> => {
      if (!stateForm.test(at.state)) return undefined;
      const sealed = cookieOf(request, cookieName(at.state));
      const journey = sealed === undefined ? undefined : unseal(sealingKey, sealed, at.state);
      if (journey === undefined || journey.alias !== at.alias) return undefined;
      setCookie(reply, cookieName(at.state), '', journeyPath(at.alias), 0);
      const pending = await artifacts.find('Journey', at.state);
      if (pending === undefined || isOver(pending)) return undefined;
      return (await artifacts.consume('Journey', at.state)) ? journey : undefined;
    },

    /** Only this browser, and only for this sign-in. */
    keepGuest: async (reply: FastifyReply, interaction: string, guest: Guest): Promise<void> => {
      const id = randomBytes(32).toString('base64url');
      const exp = Math.floor(Date.now() / 1000) + lifetimeSeconds;
      await artifacts.upsert('Guest', id, { uid: interaction, guest, exp }, lifetimeSeconds);
      setCookie(reply, guestCookie, id, guestPath(interaction), lifetimeSeconds);
    },

    guestOf: async (request: FastifyRequest, interaction: string): Promise<Guest | undefined> => {
      const kept = await artifacts.find('Guest', cookieOf(request, guestCookie) ?? '');
      if (kept === undefined || kept.uid !== interaction || isOver(kept)) return undefined;
      return kept.guest as Guest;
    },

    forgetGuest: async (request: FastifyRequest, reply: FastifyReply, interaction: string): Promise<void> => {
      await artifacts.destroy('Guest', cookieOf(request, guestCookie) ?? '');
      setCookie(reply, guestCookie, '', guestPath(interaction), 0);
    },
  };
}

/** What expired may lie in the store for a minute more. */
const isOver = ({ exp }: { exp?: number | undefined }): boolean =>
  exp !== undefined && exp * 1000 < Date.now();

function unseal(key: Buffer, sealed: string, state: string): Journey | undefined {
  try {
    return JSON.parse(open(key, Buffer.from(sealed, 'base64url'), `journey:${state}`).toString()) as Journey;
  } catch {
    return undefined;
  }
}

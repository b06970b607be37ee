import { messageOf } from '@haic/kit/errors.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { PersonStanding } from '../client.ts';
import { allUnknown, type StandingSource } from './standing-source.ts';

/** So many ids in one question: their address stays below 2 KiB. */
const batchSize = 50;
/** Those who are not found are asked about one by one; the others have their turn at the next question. */
const mostSingly = 20;
const deadlineMs = 5_000;
/** After Keycloak could not be asked, or would not answer, it is left in peace for so long. */
const pauseMs = 30_000;
/** Whether the realm is the one of Haic's people is looked at again after so long. */
const realmFreshMs = 60_000;
/** Of those seen last, the realm must know so many before its word is taken that somebody is gone. */
const leastKnownShare = 0.5;

/**
 * Keycloak's administration API (`<server>/admin/realms/<realm>/users`), for which the service account needs the role `view-users` of
 * `realm-management`. Without it, or where that API is not published to Haic, everybody is `unknown`.
 *
 * Haic set to another realm, or one that was made anew, would find everybody gone and stop what all of them run. So nobody is
 * gone in a realm that knows fewer than half of the people who were seen last.
 */
export function createKeycloakStanding(options: {
  issuer: string;
  fetch: Fetch;
  serviceToken: () => Promise<string>;
  /** The subjects of the people who were seen last, at most `batchSize` of them. */
  lastSeen: (most: number) => Promise<readonly string[]>;
  logger: Logger;
}): StandingSource {
  const { logger } = options;
  const users = usersAddressOf(options.issuer);
  let pausedUntil = 0;
  let said = false;
  let realm: { knowsOurPeople: boolean; at: number } | undefined;

  const ask = async (address: string, signal: AbortSignal): Promise<Response> =>
    options.fetch(address, {
      headers: { authorization: `Bearer ${await options.serviceToken()}` },
      redirect: 'error',
      signal,
    });

  /** Several ids at once, as the search field of Keycloak's console takes them: `id:<one> <another>`. */
  async function enabledOf(ids: readonly string[], signal: AbortSignal): Promise<Map<string, boolean>> {
    const query = new URLSearchParams({
      briefRepresentation: 'true',
      max: String(ids.length),
      search: `id:${ids.join(' ')}`,
    });
    const response = await ask(`${users}?${query}`, signal);
    if (!response.ok) {
      await response.arrayBuffer();
      throw new Error(`it answers ${response.status}; its client needs the role view-users`);
    }
    const found: unknown = await response.json();
    if (!Array.isArray(found)) throw new Error('its answer is no list');
    return new Map(found.filter(isUser).map(({ id, enabled }) => [id, enabled]));
  }

  /** Not in the list: removed, or hidden from this client. Only Keycloak's own words are taken for the first: a proxy may answer 404, too. */
  async function isGone(id: string, signal: AbortSignal): Promise<boolean> {
    const response = await ask(`${users}/${encodeURIComponent(id)}`, signal);
    const text = await response.text();
    return response.status === 404 && text.includes('"User not found"');
  }

  async function knowsOurPeople(signal: AbortSignal): Promise<boolean> {
    if (realm !== undefined && Date.now() - realm.at < realmFreshMs) return realm.knowsOurPeople;
    const people = (await options.lastSeen(batchSize)).filter(isId);
    const known = people.length === 0 ? 0 : (await enabledOf(people, signal)).size;
    const enough = known >= people.length * leastKnownShare;
    if (!enough && realm?.knowsOurPeople !== false)
      logger.warn(
        `The sign-in service knows ${known} of the ${people.length} people who used Haic last. Is ${options.issuer} the right realm? Until it knows half of them, nobody counts as removed and what they run goes on.`,
      );
    realm = { knowsOurPeople: enough, at: Date.now() };
    return enough;
  }

  async function learn(
    ids: readonly string[],
    standing: Map<string, PersonStanding>,
    signal: AbortSignal,
  ): Promise<void> {
    const missing: string[] = [];
    for (let at = 0; at < ids.length; at += batchSize) {
      const batch = ids.slice(at, at + batchSize);
      const enabled = await enabledOf(batch, signal);
      for (const id of batch) {
        const is = enabled.get(id);
        if (is === undefined) missing.push(id);
        else standing.set(id, is ? 'active' : 'ended');
      }
    }
    if (missing.length === 0 || !(await knowsOurPeople(signal))) return;
    for (const id of missing.slice(0, mostSingly)) if (await isGone(id, signal)) standing.set(id, 'ended');
  }

  return {
    async standingOf(subjects) {
      const standing = new Map(allUnknown(subjects));
      if (users === undefined || subjects.length === 0 || Date.now() < pausedUntil) return standing;
      // What is no id of Keycloak's would mean something else in its search.
      const ids = subjects.filter(isId);
      try {
        await learn(ids, standing, AbortSignal.timeout(deadlineMs));
        said = false;
      } catch (error) {
        pausedUntil = Date.now() + pauseMs;
        if (!said)
          logger.warn(
            `The sign-in service does not say who is disabled there (${messageOf(error)}). What such people run goes on.`,
          );
        said = true;
      }
      return standing;
    },
  };
}

/** `https://keycloak.example.org/auth/realms/haic` → `https://keycloak.example.org/auth/admin/realms/haic/users`. */
function usersAddressOf(issuer: string): string | undefined {
  const match = /^(.*)\/realms\/([^/]+)$/.exec(issuer);
  return match === null ? undefined : `${match[1]}/admin/realms/${match[2]}/users`;
}

const isId = (subject: string): boolean => /^[\w-]{1,64}$/.test(subject);

const isUser = (value: unknown): value is { id: string; enabled: boolean } =>
  typeof value === 'object' &&
  value !== null &&
  'id' in value &&
  typeof value.id === 'string' &&
  'enabled' in value &&
  typeof value.enabled === 'boolean';

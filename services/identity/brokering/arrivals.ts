import { conflict } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Person } from '../model.ts';
import type { Sessions } from '../provider/sessions.ts';
import type { PeopleStore } from '../store.ts';
import type { Profile } from './profile.ts';
import type { UpstreamProvider } from './provider-settings.ts';
import type { LinkStore } from './store.ts';

/** Somebody whom a provider vouches for, on their way in. */
export interface Arrival {
  readonly provider: UpstreamProvider;
  readonly profile: Profile;
}

export type Reception =
  | { readonly kind: 'welcome'; readonly person: Person }
  | { readonly kind: 'disabled' }
  /** Nobody here, and the provider's settings let nobody new in. */
  | { readonly kind: 'unknown' }
  /** Somebody here may be the same: only their password says so. `username` is one that the provider named itself. */
  | { readonly kind: 'prove'; readonly username: string; readonly mayBeNew: boolean };

/**
 * Who comes in from another provider, and as whom. People are known by the provider's id of them alone (OpenID Connect Core §5.7): names and
 * e-mail addresses are claims that a provider may make up, so they never open an account that exists.
 */
export interface Arrivals {
  receive(arrival: Arrival): Promise<Reception>;
  /** `person` proved the account by its password. */
  link(arrival: Arrival, person: Person): Promise<Reception>;
  /** The person said that the account of the same name is somebody else's. */
  makeNew(arrival: Arrival): Promise<Reception>;
}

export function createArrivals(parts: {
  links: LinkStore;
  people: PeopleStore;
  sessions: Sessions;
  logger: Logger;
}): Arrivals {
  const { links, people, sessions, logger } = parts;

  async function welcome({ provider, profile }: Arrival): Promise<Reception> {
    const followed = await links.follow(provider, profile);
    if (followed === undefined) return { kind: 'unknown' };
    const { person, lostARole } = followed;
    if (person.disabled) return shutOut({ provider, profile }, 'disabled');
    // What is open in other browsers would go on with the role.
    if (lostARole) await sessions.endOthers(person.id, undefined);
    await people.signedIn(person.id);
    logger.info(
      { event: 'sign-in', username: person.username, provider: provider.alias },
      'Someone signed in through another provider.',
    );
    return { kind: 'welcome', person };
  }

  const shutOut = ({ provider, profile }: Arrival, kind: 'disabled' | 'unknown'): Reception => {
    const { username, subject } = profile;
    logger.warn(
      { event: 'sign-in-refused', username, subject, provider: provider.alias, reason: kind },
      'Someone of another provider may not sign in.',
    );
    return { kind };
  };

  async function make(arrival: Arrival): Promise<Reception> {
    await links.makePerson(arrival.provider, arrival.profile);
    return welcome(arrival);
  }

  return {
    receive: async (arrival) => {
      const { provider, profile } = arrival;
      const known = await links.personOf(provider, profile.subject);
      if (known !== undefined) return known.disabled ? shutOut(arrival, 'disabled') : welcome(arrival);
      const namesakes = await links.namesakes(profile);
      // Another tab of theirs may have let them in since: then the namesake is they themselves.
      if (namesakes.length > 0 && (await links.personOf(provider, profile.subject)) !== undefined)
        return welcome(arrival);
      // Otherwise who was disabled would come in again as somebody new.
      if (namesakes.some(({ disabled }) => disabled)) return shutOut(arrival, 'disabled');
      if (namesakes.length === 0) return provider.newPeople ? make(arrival) : shutOut(arrival, 'unknown');
      const sameName = namesakes.some(({ username }) => username === profile.username);
      return { kind: 'prove', username: sameName ? profile.username : '', mayBeNew: provider.newPeople };
    },

    link: async (arrival, person) => {
      const { provider, profile } = arrival;
      if (!(await links.link(provider, profile.subject, person.id)))
        throw conflict(
          'already_linked',
          `That account belongs to another person of ${provider.title} already. Ask an administrator.`,
        );
      logger.info({ username: person.username, provider: provider.alias }, 'An account was linked.');
      return welcome(arrival);
    },

    makeNew: async (arrival) => {
      const namesakes = await links.namesakes(arrival.profile);
      if (namesakes.some(({ disabled }) => disabled)) return shutOut(arrival, 'disabled');
      return arrival.provider.newPeople ? make(arrival) : shutOut(arrival, 'unknown');
    },
  };
}

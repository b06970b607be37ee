import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { PersonStanding } from '../client.ts';
import type { IssuerConnection } from './issuer-connection.ts';
import { allUnknown, type StandingSource } from './standing-source.ts';
import type { ExternalStore, PersonsGrant } from './store.ts';

/** An answer is good for so long: each costs a refresh at the issuer. */
const freshMs = 60_000;
const mostAtOnce = 50;
const mostRemembered = 10_000;

/**
 * What is known of people without a look into the issuer's directory: whoever let an app act for them has a grant there, and when it is
 * refreshed the issuer says whether they are disabled. Nothing is learnt of people without a grant, nor of those who were removed: their
 * grants end as those do of people who only signed out.
 */
export function createGrantsStanding(parts: {
  store: Pick<ExternalStore, 'grantsOf'>;
  connection: Pick<IssuerConnection, 'refresh'>;
  logger: Logger;
}): StandingSource {
  const known = new Map<string, { standing: PersonStanding; at: number }>();

  async function ask({ client, refreshToken }: PersonsGrant): Promise<PersonStanding> {
    const answer = await parts.connection.refresh(client, refreshToken);
    if (answer === 'refused') return 'unknown';
    return answer === 'disabled' ? 'ended' : 'active';
  }

  return {
    async standingOf(subjects) {
      const standing = new Map(allUnknown(subjects));
      const now = Date.now();
      const due: string[] = [];
      for (const subject of subjects) {
        const last = known.get(subject);
        if (last !== undefined && now - last.at < freshMs) standing.set(subject, last.standing);
        else due.push(subject);
      }
      if (known.size > mostRemembered) known.clear();
      try {
        for (const grant of await parts.store.grantsOf(due.slice(0, mostAtOnce))) {
          const answer = await ask(grant);
          known.set(grant.subject, { standing: answer, at: now });
          standing.set(grant.subject, answer);
        }
      } catch (error) {
        parts.logger.warn(`Grants could not be looked at (${messageOf(error)}).`);
      }
      return standing;
    },
  };
}

import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { mostAskedAbout, type PeopleStandingClient } from '@haic/services/identity/client.ts';
import type { LiveConnections } from '../live-connections.ts';
import type { FreshTokens } from './fresh-tokens.ts';
import type { Sessions } from './sessions.ts';
import type { SessionStore } from './store.ts';

const everyMs = 15_000;
/** Sessions whose tokens are exchanged in one round: with more than these open at once, the others have their turn in the next. */
const mostExchanged = 200;

/**
 * An issuer of an organisation tells when somebody signs out, and nothing when somebody is disabled or removed there. So the router asks
 * about those who are signed in, a thousand each time; and because the issuer may not say, it also exchanges the tokens of whoever has
 * something open and asks for nothing: what is refused then ends the session.
 */
export function watchPeople(parts: {
  people: PeopleStandingClient;
  store: Pick<SessionStore, 'subjectsAfter'>;
  sessions: Pick<Sessions, 'endBySubject' | 'current'>;
  freshTokens: Pick<FreshTokens, 'keepFresh'>;
  live: Pick<LiveConnections, 'sessionIds'>;
  logger: Logger;
}): { round(): Promise<void>; stop(): void } {
  const { people, store, sessions, live, logger } = parts;
  let after = '';
  let running = false;

  async function endDisabled(): Promise<void> {
    const subjects = await store.subjectsAfter(after, mostAskedAbout);
    after = subjects.length < mostAskedAbout ? '' : (subjects.at(-1) ?? '');
    if (subjects.length === 0) return;
    const active = new Set(await people.activeAmong(subjects));
    for (const subject of subjects) if (!active.has(subject)) await sessions.endBySubject(subject);
  }

  async function exchangeWhatIsOpen(): Promise<void> {
    const stale = live
      .sessionIds()
      .map((id) => sessions.current(id))
      .filter((session) => session !== undefined && session.accessExpiresAt <= Date.now())
      .slice(0, mostExchanged);
    for (const session of stale) if (session !== undefined) await parts.freshTokens.keepFresh(session);
  }

  async function round(): Promise<void> {
    if (running) return;
    running = true;
    try {
      for (const step of await Promise.allSettled([endDisabled(), exchangeWhatIsOpen()]))
        if (step.status === 'rejected')
          logger.warn(`Who is signed in could not be looked at (${messageOf(step.reason)}); trying again.`);
    } finally {
      running = false;
    }
  }

  const timer = setInterval(() => void round(), everyMs).unref();
  return { round, stop: () => clearInterval(timer) };
}

import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { PersonStanding, WhenPersonEnds } from '../client.ts';
import type { StandingSource } from './standing-source.ts';

/** Whoever was asked about so lately is not asked about again. */
const freshMs = 5_000;
const mostRemembered = 20_000;

/** Whether people may still sign in, as the issuer said last; and what follows when somebody may no longer. */
export interface PeopleStanding {
  of(subjects: readonly string[]): Promise<ReadonlyMap<string, PersonStanding>>;
}

/** Sources are asked one after the other, each about those of whom the ones before know nothing. */
export function createPeopleStanding(parts: {
  sources: readonly StandingSource[];
  whenPersonEnds: WhenPersonEnds;
  logger: Logger;
  now?: () => number;
}): PeopleStanding {
  const now = parts.now ?? Date.now;
  const known = new Map<string, { standing: PersonStanding; at: number }>();

  async function ask(subjects: readonly string[]): Promise<ReadonlyMap<string, PersonStanding>> {
    const standing = new Map<string, PersonStanding>();
    for (const source of parts.sources) {
      const left = subjects.filter((subject) => (standing.get(subject) ?? 'unknown') === 'unknown');
      if (left.length === 0) break;
      for (const [subject, answer] of await source.standingOf(left)) standing.set(subject, answer);
    }
    return standing;
  }

  function keep(subject: string, standing: PersonStanding): void {
    const before = known.get(subject)?.standing;
    known.set(subject, { standing, at: now() });
    if (standing !== 'ended' || before === 'ended') return;
    parts.logger.info({ subject }, 'The sign-in service says that this person is disabled or gone.');
    parts
      .whenPersonEnds(subject)
      .catch((error: unknown) =>
        parts.logger.warn(
          `What ${subject} runs could not be stopped now (${messageOf(error)}); it is found and stopped soon.`,
        ),
      );
  }

  return {
    async of(subjects) {
      const standing = new Map<string, PersonStanding>();
      const due: string[] = [];
      for (const subject of new Set(subjects)) {
        const last = known.get(subject);
        if (last !== undefined && now() - last.at < freshMs) standing.set(subject, last.standing);
        else due.push(subject);
      }
      if (due.length === 0) return standing;
      if (known.size > mostRemembered) known.clear();
      for (const [subject, answer] of await ask(due)) {
        standing.set(subject, answer);
        keep(subject, answer);
      }
      return standing;
    },
  };
}

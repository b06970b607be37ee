import type { PersonStanding } from '../client.ts';

/** Where an organisation's issuer says whether somebody may still sign in. */
export interface StandingSource {
  /** Of every subject that is asked about. Never throws: what cannot be learnt now is `unknown`. */
  standingOf(subjects: readonly string[]): Promise<ReadonlyMap<string, PersonStanding>>;
}

export const allUnknown = (subjects: readonly string[]): ReadonlyMap<string, PersonStanding> =>
  new Map(subjects.map((subject) => [subject, 'unknown']));

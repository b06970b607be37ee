import { conflict, fromDatabaseError, HaicError, invalid, unavailable } from '@haic/kit/errors.ts';

export const wrongEvent = (what: string): HaicError =>
  invalid('invalid_event', `The event is not valid: ${what}`);

export const wrongFilter = (what: string): HaicError =>
  invalid('invalid_filter', `The search is not valid: ${what}`);

export const eventIdTaken = (id: string): HaicError =>
  conflict('event_id_taken', `There is another event with the id ${id}. What was recorded is never changed.`);

/** A database that cannot do its work says so itself, in words that people know from everywhere else. */
export function notRecorded(cause: unknown): HaicError {
  const known = fromDatabaseError(cause);
  if (known instanceof HaicError) return known;
  return unavailable(
    'audit_unavailable',
    'This has to be recorded in the audit trail, which is not possible now. Nothing was done; try again in a moment.',
    { cause },
  );
}

import { readTime, secondText } from '../rfc3339.ts';

/**
 * A time of RFC 3339 in the one form that is compared, in UTC and with six digits of a second, which is what PostgreSQL keeps. Without an offset it
 * is UTC, without a time midnight. Undefined for what is no time of the years 1 to 9999.
 */
export function timestampOf(text: string): string | undefined {
  const time = readTime(text.length === 10 ? `${text}T00:00:00` : text);
  if (time === undefined) return undefined;
  const micros = Math.floor(time.nanos / 1000);
  return `${secondText(time.seconds)}.${String(micros).padStart(6, '0')}Z`;
}

/** `toISOString` has milliseconds. */
export const timestampOfDate = (date: Date): string => date.toISOString().replace('Z', '000Z');

/**
 * Times of RFC 3339 and seconds since 1970, which is what protobuf and filters are about. They are in almost every message, so both ways do without Date
 * and patterns.
 */

const daySeconds = 86_400;
const earliest = -62_135_596_800;
const latest = 253_402_300_799;

export const isTime = (seconds: number, nanos: number): boolean =>
  seconds >= earliest && seconds <= latest && nanos >= 0 && nanos <= 999_999_999;

/** In UTC, with as many digits of a second as are needed, in threes. */
export const timeText = (seconds: number, nanos: number): string =>
  `${secondText(seconds)}${fractionText(nanos)}Z`;

/** Without what belongs behind the seconds: `2026-01-31T12:00:00`. */
export function secondText(seconds: number): string {
  const day = Math.floor(seconds / daySeconds);
  const second = seconds - day * daySeconds;
  const hour = Math.floor(second / 3600);
  const minute = Math.floor(second / 60) % 60;
  return `${dayText(day)}T${pairs[hour]}:${pairs[minute]}:${pairs[second % 60]}`;
}

const pairs = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));

function fractionText(nanos: number): string {
  if (nanos === 0) return '';
  const digits = String(nanos).padStart(9, '0');
  const length = digits.endsWith('000000') ? 3 : digits.endsWith('000') ? 6 : 9;
  return `.${digits.slice(0, length)}`;
}

/**
 * Days since 1970 in the Gregorian calendar: years are taken from March, so that the day of a leap year is the last of its year, and eras have 400
 * years, after which the calendar repeats (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
 */
function dayText(sinceEpoch: number): string {
  const days = sinceEpoch + 719_468;
  const era = Math.floor(days / 146_097);
  const ofEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${pairs[Math.floor(year / 100)]}${pairs[year % 100]}-${pairs[month]}-${pairs[day]}`;
}

export interface ReadTime {
  readonly seconds: number;
  readonly nanos: number;
  readonly hasOffset: boolean;
}

/**
 * RFC 3339, or what Python makes of it: a space for the T, no offset (read as UTC), more digits than nanoseconds. Undefined for what is no time, or none
 * of the years 1 to 9999.
 */
export function readTime(text: string): ReadTime | undefined {
  if (!isSeparated(text)) return undefined;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  // A comparison with NaN is false.
  const isOfDay = hour <= 23 && minute <= 59 && second <= 59 && month >= 1 && month <= 12;
  if (!isOfDay || !(day >= 1 && day <= daysIn(year, month))) return undefined;
  const fraction = readFraction(text);
  const offset = readOffset(text, fraction.end);
  if (offset === undefined) return undefined;
  const whole = daysSinceEpoch(year, month, day) * daySeconds + hour * 3600 + minute * 60 + second - offset;
  if (!(whole >= earliest && whole <= latest)) return undefined;
  return { seconds: whole, nanos: fraction.nanos, hasOffset: fraction.end < text.length };
}

function isSeparated(text: string): boolean {
  const between = text.charCodeAt(10);
  return (
    (between === 84 || between === 116 || between === 32) &&
    text.charCodeAt(4) === 45 &&
    text.charCodeAt(7) === 45 &&
    text.charCodeAt(13) === 58 &&
    text.charCodeAt(16) === 58
  );
}

function digits(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

/** Behind the seconds; digits beyond nanoseconds are passed. A point without digits is none. */
function readFraction(text: string): { nanos: number; end: number } {
  if (text.charCodeAt(19) !== 46) return { nanos: 0, end: 19 };
  let end = 20;
  while (text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
  if (end === 20) return { nanos: 0, end: 19 };
  const length = Math.min(9, end - 20);
  return { nanos: digits(text, 20, 20 + length) * 10 ** (9 - length), end };
}

/** In seconds; 0 where there is none. Undefined for what is no offset. */
function readOffset(text: string, at: number): number | undefined {
  const sign = text.charCodeAt(at);
  if (at === text.length) return 0;
  if (sign === 90 || sign === 122) return at + 1 === text.length ? 0 : undefined;
  if ((sign !== 43 && sign !== 45) || at + 6 !== text.length || text[at + 3] !== ':') return undefined;
  const [hours, minutes] = [digits(text, at + 1, at + 3), digits(text, at + 4, at + 6)];
  if (!(hours <= 23 && minutes <= 59)) return undefined;
  return (sign === 43 ? 1 : -1) * (hours * 3600 + minutes * 60);
}

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (daysInMonth[month - 1] ?? 0);
}

/** The other way round than `dayText`. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const fromMarch = month <= 2 ? year - 1 : year;
  const era = Math.floor(fromMarch / 400);
  const yearOfEra = fromMarch - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const ofEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + ofYear;
  return era * 146_097 + ofEra - 719_468;
}

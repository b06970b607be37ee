import { pinsOf, type Releases } from './releases.ts';

export interface CutOff {
  /** YYYY-MM-DD: what was published later is left out. */
  readonly date: string;
  /** From what it follows, for the log. */
  readonly because: string;
}

/**
 * The days on which an app may have been published, the most likely first: that of the newest file in its archive, and that of the newest
 * release that it pins. An archive that was packed again long afterwards says too late a day, or none; the pins of an app that hardly pins
 * anything say too early a one.
 */
export async function cutOffsOf(options: {
  readonly requirements: readonly string[];
  /** YYYY-MM-DD: the newest file of the app. */
  readonly publishedOn: string | undefined;
  readonly today: string;
  readonly releases: Releases;
  readonly signal: AbortSignal;
}): Promise<CutOff[]> {
  const pins = pinsOf(options.requirements);
  const released = pins.length === 0 ? undefined : await options.releases.newestOf(pins, options.signal);
  const candidates: CutOff[] = [];
  // Nothing is older than what it pins.
  if (options.publishedOn !== undefined && options.publishedOn >= (released ?? ''))
    candidates.push({ date: dayAfter(options.publishedOn), because: 'its newest file' });
  if (released !== undefined)
    candidates.push({ date: dayAfter(released), because: 'the newest release among its pinned packages' });
  // Before 2016 no file of an app is: such a date is a build tool's "no date".
  const useful = candidates.filter(({ date }) => date > '2016' && date < options.today);
  return useful.filter(({ date }, index) => useful.findIndex((other) => other.date === date) === index);
}

/** Zip knows no time zone, and a day has an end: so a day more. */
const dayAfter = (date: string): string => {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
};

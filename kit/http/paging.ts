import Type, { type TSchema } from 'typebox';
import { type HaicError, invalid } from '../errors.ts';
import { listOf } from './operation.ts';

export const largestPage = 1000;

/** A time in a page token, as `toISOString` writes it. */
export const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The two parameters of every list: `querystring: Type.Object({ ...pageQuery, query: … })`. */
export const pageQuery = {
  pageSize: Type.Optional(
    Type.Integer({ minimum: 1, maximum: largestPage, description: 'How many items at most.' }),
  ),
  pageToken: Type.Optional(
    Type.String({ maxLength: 500, description: '`nextPageToken` of the page before; absent for the first.' }),
  ),
};

/** What every list answers: `response: { 200: pageOf(App) }`. */
export const pageOf = <S extends TSchema>(item: S) =>
  Type.Object(
    {
      items: listOf(item),
      nextPageToken: Type.Optional(Type.String({ description: 'Absent on the last page.' })),
    },
    { additionalProperties: false },
  );

/**
 * The place in a list behind which the next page begins, by the values that the list is sorted by: what is added or removed meanwhile moves
 * nothing. Not a secret, and what it names is read with the caller's rights like anything else.
 */
export const pageTokenOf = (...place: readonly (string | null)[]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

/** The place, each of its values of the form that the list expects; 400 for anything that no list gave. */
export function readPageToken(token: string, ...forms: readonly RegExp[]): string[] {
  const place = placeIn(token);
  if (
    place.length !== forms.length ||
    !place.every((value, index) => typeof value === 'string' && hasForm(value, forms[index]))
  )
    throw badPageToken();
  return place as string[];
}

/** What a token says, whatever it is; the list decides whether it is a place in it. */
export function placeIn(token: string): readonly unknown[] {
  const place = parse(Buffer.from(token, 'base64url').toString());
  if (!Array.isArray(place)) throw badPageToken();
  return place;
}

export const badPageToken = (
  message = 'This pageToken is not one that this list gave. Start again without it.',
): HaicError => invalid('invalid_page_token', message);

/** The thirtieth of February has the form of a time and is none. */
const hasForm = (value: string, form: RegExp | undefined): boolean =>
  form?.test(value) === true && (form !== isoTime || !Number.isNaN(Date.parse(value)));

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `readPageToken`, or undefined for the first page: without a token, or with an empty one. */
export const placeAfter = (token: string | undefined, ...forms: readonly RegExp[]): string[] | undefined =>
  token === undefined || token === '' ? undefined : readPageToken(token, ...forms);

/** One page of what was asked for with one more than fits, to know whether there are more. */
export function cutPage<T>(
  found: readonly T[],
  pageSize: number,
  placeOf: (last: T) => readonly string[],
): { page: readonly T[]; next: { nextPageToken?: string } } {
  const page = found.slice(0, pageSize);
  const last = found.length > pageSize ? page.at(-1) : undefined;
  return { page, next: last === undefined ? {} : { nextPageToken: pageTokenOf(...placeOf(last)) } };
}

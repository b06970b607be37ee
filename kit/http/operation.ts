import Type, { type TArrayOptions, type TSchema, type TUnsafe } from 'typebox';

/**
 * The words in which a route describes itself. Every route of the public API carries `operationId`, `summary`, `tags` and `response` in its
 * schema; `GET /api/v1/openapi.json` is made of them (`openapi.ts`), and answers are held against them in tests (`answers.ts`). A schema with a
 * `title` is named in the document.
 */

/** RFC 9457, the shape of every refusal. `code` is stable and for programs, `detail` says to people what to do. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: '`urn:haic:error:<code>`' }),
    title: Type.String({ description: 'The code again.' }),
    code: Type.String({ description: 'Stable, for programs.' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'What happened and what to do, for people.' }),
    requestId: Type.String({ description: 'Under which the log of Haic has more.' }),
    details: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Facts for programs; which ones depends on the code.',
      }),
    ),
  },
  { title: 'Problem', additionalProperties: false },
);

export const problemType = 'application/problem+json';

const meanings: Readonly<Record<number, string>> = {
  400: 'The request is not valid.',
  401: 'No valid access token was sent.',
  403: 'The person, or the client that acts for them, may not do this.',
  404: 'It does not exist, or one may not see it.',
  408: 'The body did not arrive in time.',
  409: 'The present state does not allow this; `detail` says what to do first.',
  413: 'The body is too large.',
  414: 'The address is too long.',
  415: 'The body is of another type than this takes.',
  422: 'What was sent contradicts what was sent before.',
  429: 'Too many requests; `Retry-After` says when to try again.',
  431: 'The headers are too large.',
  500: 'Something went wrong inside Haic; its log has more under the `requestId`.',
  503: 'Something that Haic needs cannot be reached. Try again in a moment.',
  507: 'The disk of Haic is full.',
};

/** A body in another form than JSON. */
export interface OtherContent {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>;
}

const problemOfStatus = (status: number): OtherContent => ({
  description: meanings[status] ?? 'Refused.',
  content: { [problemType]: { schema: Problem } },
});

/**
 * Refusals of an operation, for its `response`: `{ 200: App, ...problems(409) }`. Those that any operation of its kind may answer (400, 401,
 * 403, 404 where the path names something, 429, 500, 503, …) need not be listed: see `refusalsOfEvery`.
 */
export const problems = (...statuses: readonly number[]): Record<number, OtherContent> =>
  Object.fromEntries(statuses.map((status) => [status, problemOfStatus(status)]));

/** Refusals that come with the form of an operation. */
export function refusalsOfEvery(operation: {
  readonly isPublic: boolean;
  readonly names: boolean;
  readonly takesBody: boolean;
  readonly isIdempotent: boolean;
}): number[] {
  return [
    ...[400, 414, 429, 431, 500, 503],
    ...(operation.isPublic ? [] : [401, 403]),
    ...(operation.names ? [404] : []),
    ...(operation.takesBody ? [413, 415] : []),
    ...(operation.isIdempotent ? [409, 422] : []),
  ];
}

/** For 204: `{ 204: noContent }`, answered with `reply.code(204).send()`. */
export const noContent: TUnsafe<undefined> = Type.Unsafe({ type: 'null', description: 'Done.' });

/** An array, from what may not be changed. */
export const listOf = <S extends TSchema>(item: S, options: TArrayOptions = {}) =>
  Type.Immutable(Type.Array(item, options));

const bytes: TUnsafe<unknown> = Type.Unsafe({ format: 'binary' });

/** Bytes as a body or an answer: `{ 200: binary('application/zip', 'The bundle.') }`. */
export const binary = (contentType: string | readonly string[], description: string): OtherContent => ({
  description,
  content: Object.fromEntries([contentType].flat().map((type) => [type, { schema: bytes }])),
});

/** Several forms of one answer, by what the caller accepts. */
export const textual = (contentTypes: readonly string[], description: string): OtherContent => ({
  description,
  content: Object.fromEntries(contentTypes.map((type) => [type, { schema: Type.String() }])),
});

export const Timestamp = Type.String({ format: 'date-time', description: 'ISO 8601, UTC.' });

/** Of a schema, or null. */
export const orNull = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

/**
 * The catalogue of errors that users can meet. A code is stable and machine-readable; the message says what happened and what to
 * do. Renderers (problem JSON, OAuth error, …) live with their protocol; nothing below the routes throws a framework's error.
 */
export class HaicError extends Error {
  readonly code: string;
  readonly status: number;
  /** Structured facts for the reader of the error, e.g. the file and key of a manifest. Never secrets. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: string,
    status: number,
    message: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HaicError';
    this.code = code;
    this.status = status;
    this.details = options.details;
  }
}

type Options = { cause?: unknown; details?: Record<string, unknown> };

export const invalid = (code: string, message: string, options?: Options) =>
  new HaicError(code, 400, message, options);
export const unauthenticated = (message = 'Sign in first.', options?: Options) =>
  new HaicError('unauthenticated', 401, message, options);
export const forbidden = (code: string, message: string, options?: Options) =>
  new HaicError(code, 403, message, options);
/** Also the answer for what the asker may not know of. */
export const notFound = (what: string, options?: Options) =>
  new HaicError('not_found', 404, `${what} does not exist, or you may not see it.`, options);
export const conflict = (code: string, message: string, options?: Options) =>
  new HaicError(code, 409, message, options);
export const tooLarge = (code: string, message: string, options?: Options) =>
  new HaicError(code, 413, message, options);
export const unprocessable = (code: string, message: string, options?: Options) =>
  new HaicError(code, 422, message, options);
export const tooMany = (message: string, options?: Options) =>
  new HaicError('too_many_requests', 429, message, options);
export const unavailable = (code: string, message: string, options?: Options) =>
  new HaicError(code, 503, message, options);
export const insufficientStorage = (message: string, options?: Options) =>
  new HaicError('insufficient_storage', 507, message, options);

/** Turns a system error of a write into the error a user understands; other errors pass through. */
export function fromWriteError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return insufficientStorage('The disk is full. Nothing was changed; free some space and try again.', {
      cause: error,
    });
  }
  return error;
}

/** What the PostgreSQL driver and server say while there is no connection to be had: away, restarting, or full. */
const databaseAway = new Set([
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT', 'ECONNREFUSED'],
  ...['57P01', '57P02', '57P03', '53300'],
]);

/** Turns the error of a database that cannot be reached into one that says so; other errors pass through. */
export function fromDatabaseError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !databaseAway.has(code)) return error;
  return unavailable(
    'database_unavailable',
    'The database of Haic cannot be reached. Try again in a moment.',
    {
      cause: error,
    },
  );
}

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

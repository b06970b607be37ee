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

const diskFull = new Set(['ENOSPC', 'EDQUOT']);
const diskBroken = new Set(['EIO', 'EROFS']);

/** Turns a system error of a write into the error a user understands; other errors pass through. */
export function fromWriteError(error: unknown): unknown {
  const code = codeOf(error);
  if (diskFull.has(code))
    return insufficientStorage('The disk is full. Nothing was changed; free some space and try again.', {
      cause: error,
    });
  if (diskBroken.has(code))
    return unavailable(
      'storage_unavailable',
      `Haic cannot write to its disk (${code}). Nothing was changed; whoever runs Haic has to look at the disk.`,
      { cause: error },
    );
  return error;
}

/** What the PostgreSQL driver and server say while there is no connection to be had: away, restarting, or full. */
const databaseAway = new Set([
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT'],
  ...['ECONNREFUSED', 'ECONNRESET'],
  ...['57P01', '57P02', '57P03', '53300'],
]);
/** Statement or lock timeout. */
const databaseSlow = new Set(['57014', '55P03']);
/** A full disk, an input/output error, out of memory. */
const databaseBroken = new Set(['53100', '58030', '53200']);

/** Turns the error of a database that cannot do its work into one that says so; other errors pass through. */
export function fromDatabaseError(error: unknown): unknown {
  const code = codeOf(error);
  const because = databaseAway.has(code)
    ? 'The database of Haic cannot be reached. Try again in a moment.'
    : databaseSlow.has(code)
      ? 'The database of Haic takes too long. Nothing was changed; try again in a moment.'
      : databaseBroken.has(code)
        ? `The database of Haic cannot write (${messageOf(error)}). Nothing was changed; whoever runs Haic has to look at its disk.`
        : undefined;
  return because === undefined ? error : unavailable('database_unavailable', because, { cause: error });
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

import type { BundleProblem } from './types.ts';

/** What went wrong with a call, in the words of the platform (problem JSON, RFC 9457) or, where it did not answer, in ours. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { requestId?: string; details?: unknown } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.requestId = more.requestId;
    this.details = isRecord(more.details) ? more.details : {};
  }

  /** The platform did not answer, or answered that it cannot just now: worth another try, and no fault of the request. */
  get isUnreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

export const unreachable = (): ApiError =>
  new ApiError(
    0,
    'unreachable',
    'The platform does not answer. This page goes on by itself when it is back.',
  );

/**
 * Reads an answer that is not a success: problem JSON or, of a protobuf-shaped service, `{code: 5, message, details: []}` with our stable code in a
 * header.
 */
export function problemFrom(status: number, body: string, headers?: Headers): ApiError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  const fields = isRecord(parsed) ? parsed : {};
  const requestId = text(fields.requestId) ?? text(headers?.get('x-request-id'));
  return new ApiError(
    status,
    text(fields.code) ?? text(headers?.get('haic-code')) ?? `http_${status}`,
    text(fields.detail) ??
      text(fields.message) ??
      text(fields.title) ??
      `The platform answered with status ${status}.`,
    { ...(requestId === undefined ? {} : { requestId }), details: fields.details },
  );
}

const titles: Readonly<Record<string, string>> = {
  bundle_invalid: 'This bundle cannot be imported',
  insufficient_storage: 'The disk is full',
  internal: 'Something went wrong',
  not_found: 'Not found',
  too_many_requests: 'Too many requests',
  unauthenticated: 'Sign in first',
  unreachable: 'The platform does not answer',
};

/** `app_has_instances` → `App has instances`, unless we have better words. */
export function titleOf(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong';
  const known = titles[error.code];
  if (known !== undefined) return known;
  if (error.code.startsWith('http_'))
    return error.status >= 500 ? 'Something went wrong' : 'That did not work';
  const words = error.code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const detailOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function bundleProblemsOf(error: unknown): readonly BundleProblem[] {
  if (!(error instanceof ApiError) || !Array.isArray(error.details.problems)) return [];
  return error.details.problems.filter(isRecord).map((problem) => ({
    message: text(problem.message) ?? 'Not valid.',
    ...pick('file', problem.file),
    ...pick('key', problem.key),
    ...pick('remedy', problem.remedy),
  }));
}

const pick = <Key extends string>(key: Key, value: unknown): Partial<Record<Key, string>> => {
  const found = text(value);
  return found === undefined ? {} : ({ [key]: found } as Partial<Record<Key, string>>);
};

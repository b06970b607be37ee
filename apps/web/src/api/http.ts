import { ApiError, problemFrom, unreachable } from './problem.ts';
import type { Session } from './types.ts';

/** The token that unsafe calls must carry. Kept here and not in the cache, since it belongs to the transport. */
let csrfToken = '';

/** Told of each answer: whether the platform is there, and whether the session still is. */
export interface TransportListener {
  onReachable(reachable: boolean): void;
  onSignedOut(): void;
}

let listener: TransportListener = { onReachable: () => {}, onSignedOut: () => {} };

export function listenToTransport(next: TransportListener): void {
  listener = next;
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

export const csrfHeader = (): Record<string, string> => ({ 'x-haic-csrf': csrfToken });

export async function readSession(signal?: AbortSignal): Promise<Session> {
  const response = await send('/session', signal === undefined ? {} : { signal });
  const session = (await response.json()) as Session;
  csrfToken = session.csrfToken ?? '';
  return session;
}

/** One call of the API. The session's cookie travels by itself; errors arrive as `ApiError`. */
export async function call<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
  const response = await callRaw(path, options);
  if (response.status === 204) return undefined as Answer;
  return (await response.json()) as Answer;
}

export async function callText(path: string, options: CallOptions = {}): Promise<string> {
  return (await callRaw(path, { ...options, headers: { accept: 'text/plain', ...options.headers } })).text();
}

export async function callRaw(path: string, options: CallOptions = {}): Promise<Response> {
  try {
    return await send(path, options);
  } catch (error) {
    if (!isStaleCsrf(error, options)) throw error;
    // The session was renewed in another tab: read its new token once and try again.
    await readSession(options.signal);
    return send(path, options);
  }
}

const isStaleCsrf = (error: unknown, options: CallOptions): boolean =>
  error instanceof ApiError && error.status === 403 && error.code.includes('csrf') && isUnsafe(options);

const isUnsafe = (options: CallOptions): boolean => (options.method ?? 'GET') !== 'GET';

async function send(path: string, options: CallOptions): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: options.method ?? 'GET',
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(isUnsafe(options) ? csrfHeader() : {}),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    listener.onReachable(false);
    throw unreachable();
  }
  if (response.ok) {
    listener.onReachable(true);
    return response;
  }
  const problem = problemFrom(response.status, await response.text(), response.headers);
  noteProblem(problem);
  throw problem;
}

/** Also for transports other than fetch: the upload's XMLHttpRequest. */
export function noteProblem(problem: ApiError): void {
  listener.onReachable(!problem.isUnreachable);
  if (problem.status === 401) listener.onSignedOut();
}

/** `?a=1&b=2` of what is defined and not empty. */
export function queryString(
  parameters: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const result = search.toString();
  return result === '' ? '' : `?${result}`;
}

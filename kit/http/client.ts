import { HaicError, messageOf, unavailable } from '../errors.ts';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Calls a service and returns its JSON; a problem answer becomes the same HaicError that the service threw. */
export async function callJson<T>(
  fetch: Fetch,
  url: string,
  init: RequestInit & { token?: string; json?: unknown } = {},
): Promise<T> {
  const response = await callService(fetch, url, init);
  const body = await response.text();
  return (body === '' ? undefined : JSON.parse(body)) as T;
}

/** Like callJson, for answers that are streamed. */
export async function callService(
  fetch: Fetch,
  url: string,
  init: RequestInit & { token?: string; json?: unknown } = {},
): Promise<Response> {
  const { token, json, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  if (json !== undefined) headers.set('content-type', 'application/json');
  let response: Response;
  try {
    response = await fetch(url, {
      ...rest,
      headers,
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
  } catch (error) {
    throw unavailable(
      'service_unavailable',
      `${new URL(url).pathname} cannot be reached (${messageOf(error)}).`,
      { cause: error },
    );
  }
  if (response.ok) return response;
  throw await errorOfResponse(response);
}

async function errorOfResponse(response: Response): Promise<HaicError> {
  const body = await response.text();
  try {
    const problem = JSON.parse(body) as { code?: string; detail?: string; details?: Record<string, unknown> };
    if (typeof problem.code === 'string' && typeof problem.detail === 'string') {
      return new HaicError(
        problem.code,
        response.status,
        problem.detail,
        problem.details === undefined ? {} : { details: problem.details },
      );
    }
  } catch {
    // Not ours: fall through to the plain form.
  }
  return new HaicError(
    'unexpected_answer',
    response.status,
    `Unexpected answer ${response.status}: ${body.slice(0, 200)}`,
  );
}
